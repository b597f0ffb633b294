/** Plug-ins: what their digest covers, what they must export, and what is said of those that are wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { openRegistry, reopenRegistry } from '../../src/registry/load-plugins.js';
import { pluginDigest } from '../../src/registry/plugin-files.js';
import { builtIn, pluginDigests } from '../../src/registry/registry.js';
import { failureOf } from '../tasks/loader-support.js';

const METHOD = (name: string): string => `
import { budgetFields, checkBudget, tokenMethod, z } from 'spark-eval';
export default tokenMethod({
  name: '${name}', summary: 's', paper: 'p',
  params: z.strictObject(budgetFields).check(checkBudget()),
  observes: () => [],
  score: ({ kvHeads, length }) => new Float32Array(kvHeads * length),
});
`;

describe('registry/plug-ins', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-plugins-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string): string => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const open = (...names: string[]) =>
    openRegistry(names.map((use) => ({ use, folder, place: 'my.yaml:2:7' })));
  const failure = async (...names: string[]): Promise<string> => {
    const error = await failureOf(open(...names));
    expect(error).to.be.instanceOf(UserError);
    return error.format();
  };

  it('are beside the built-in ones, TypeScript included', async () => {
    write('a.ts', `${METHOD('plug_a')}\nexport const typed: number = 1;`);
    const registry = await open('./a.ts');
    expect([...registry.methods.keys()]).to.include.members(['plug_a', 'spark']);
    expect(registry.methods.get('plug_a')!.axis).to.equal('token');
    const { plugins } = registry;
    expect(plugins).to.have.length(1);
    expect(plugins[0]).to.deep.include({ use: './a.ts', methods: ['plug_a'], tasks: [] });
  });

  it('enter the keys of those cells alone that use them', async () => {
    write('b.ts', METHOD('plug_b'));
    const registry = await open('./b.ts');
    const { digest } = registry.plugins[0]!;
    expect(pluginDigests(registry, 'ruler/vt', [{ method: 'plug_b' }, { method: 'spark' }])).to.deep.equal([
      digest,
    ]);
    expect(pluginDigests(registry, 'ruler/vt', [{ method: 'spark' }])).to.deep.equal([]);
    expect(pluginDigests(builtIn, 'ruler/vt', [{ method: 'spark' }])).to.deep.equal([]);
  });

  it('have a digest of every file that they import, and of packages', async () => {
    const entry = write(
      'm.ts',
      "import './lib/x.js';\nimport dep from 'dep';\nimport type { Y } from './gone.js';\nawait import('./lazy.mjs');",
    );
    write('lib/x.ts', "export * from './y.js';");
    write('lib/y.js', 'export const y = 1;');
    write('lazy.mjs', 'export {};');
    write('node_modules/dep/package.json', '{ "name": "dep", "version": "1.0.0", "main": "index.js" }');
    write('node_modules/dep/index.js', 'export default 1;');
    const first = await pluginDigest(entry);
    expect(await pluginDigest(entry)).to.equal(first);
    const seen = new Set([first]);
    for (const [name, text] of [
      ['lib/y.js', 'export const y = 2;'],
      ['lazy.mjs', 'export default 1;'],
      ['node_modules/dep/index.js', 'export default 2;'],
      ['node_modules/dep/package.json', '{ "name": "dep", "version": "1.0.1", "main": "index.js" }'],
    ] as const) {
      write(name, text);
      seen.add(await pluginDigest(entry));
    }
    expect(seen.size).to.equal(5);
  });

  it('are refused where their imports cannot be known', async () => {
    write('computed.ts', 'const name = "./x.js"; await import(name);');
    expect(await failure('./computed.ts')).to.include('import() of a path that is computed');
    write('missing.ts', "import './nowhere.js';");
    expect(await failure('./missing.ts')).to.include('imports "./nowhere.js", and there is no such file');
    write('package.ts', "import 'not-installed-anywhere';");
    expect(await failure('./package.ts')).to.include('imports the package "not-installed-anywhere"');
  });

  it('are refused with their place where they throw, are no method, or take a name', async () => {
    write('throws.ts', '\nnull.x;');
    expect(await failure('./throws.ts')).to.match(
      /^my\.yaml:2:7, .*throws\.ts(:2:\d+)? {2}cannot be loaded: /,
    );
    write('syntax.ts', 'export default {{;');
    expect(await failure('./syntax.ts')).to.match(/syntax\.ts {2}(is not valid|cannot be loaded)/);
    write('nothing.ts', 'export const x = 1;');
    expect(await failure('./nothing.ts')).to.include('exports neither a method nor a task');
    write(
      'shape.ts',
      "export default { name: 'shape', axis: 'channel', summary: 's', paper: 'p', stores: 's', notes: [] };",
    );
    expect(await failure('./shape.ts')).to.include('method "shape", field params: expected a zod schema');
    write('taken.ts', METHOD('spark'));
    expect(await failure('./taken.ts')).to.include('the method "spark" is built in already');
    write('one.ts', METHOD('plug_twice'));
    write('two.ts', `${METHOD('plug_twice')} // another file`);
    expect(await failure('./one.ts', './two.ts')).to.include(
      '"plug_twice" is brought by another plug-in already',
    );
    expect(await failure('./none.ts')).to.match(/^my\.yaml:2:7 {2}no plug-in .*none\.ts/);
    expect(await failure('no-such-package')).to.include('no package "no-such-package" here');
  });

  it('must be in a worker what they were when the run began', async () => {
    write('c.ts', METHOD('plug_c'));
    const { plugins } = await open('./c.ts');
    expect([...(await reopenRegistry(plugins)).methods.keys()]).to.include('plug_c');
    const other = plugins.map((plugin) => ({ ...plugin, digest: 'another' }));
    expect((await failureOf(reopenRegistry(other))).message).to.include('has changed since the run began');
  });
});
