/** What `npm pack` would publish: all that the program opens, and nothing else. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Packed {
  /** Bytes of the tarball. */
  readonly size: number;
  /** Bytes of the files. */
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** The only files that may be published, as patterns. */
const MEANT = [
  /^(package\.json|README\.md|LICENSE)$/,
  /^bin\/spark-eval\.js$/,
  /^dist\/(index\.js|types\/[\w./-]+\.d\.ts)$/,
  /^dist\/(chunks|cli|runner)\/[\w.-]+\.js(\.LEGAL\.txt)?$/,
  /^dist\/third-party\.txt$/,
  /^build\/(kernels|kernels-fma|matmul-fma)\.wasm$/,
  /^assets\/(plugin-hooks|kernel-thread)\.js$/,
  /^assets\/report\/[\w-]+\.(css|js)$/,
  /^examples\/[\w-]+\/[\w-]+\.(ts|mjs|yaml)$/,
  /^experiments\/(paper\/)?[\w.-]+\.yaml$/,
  /^datasets\/\w+\/[\w.-]+\.(md|txt|csv)$/,
  /^datasets\/words\/LICENSE$/,
  /^models\/spark-nano\/(README\.md|config\.json|model\.safetensors|tokenizer\.json)$/,
  /^schema\/spec\.schema\.json$/,
];

describe('the npm package', () => {
  let packed: Packed;
  let paths: readonly string[];
  before(() => {
    const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const start = stdout.indexOf('[');
    if (start < 0) throw new Error(`npm pack: ${stderr}`);
    packed = (JSON.parse(stdout.slice(start)) as [Packed])[0];
    paths = packed.files.map(({ path }) => path);
  });

  it('holds nothing else', () => {
    expect(paths.filter((path) => !MEANT.some((pattern) => pattern.test(path)))).to.deep.equal([]);
  });

  it('holds what the program opens: built files, every spec, text, list, table and card', () => {
    expect(paths).to.include.members([
      ...['bin/spark-eval.js', 'dist/cli/main.js', 'dist/runner/worker-main.js'],
      ...['kernels', 'kernels-fma', 'matmul-fma'].map((name) => `build/${name}.wasm`),
      ...[
        'models/spark-nano/model.safetensors',
        'models/spark-nano/tokenizer.json',
        'schema/spec.schema.json',
      ],
      ...['assets', 'datasets', 'experiments'].flatMap(filesBelow),
    ]);
  });

  it('is small: 8 MB, 14 MB unpacked, most of it the embedded model', () => {
    expect(packed.size).to.be.below(8.5e6);
    expect(packed.unpackedSize).to.be.below(14e6);
    const bytes = (of: (path: string) => boolean): number =>
      packed.files.filter(({ path }) => of(path)).reduce((sum, { size }) => sum + size, 0);
    const isType = (path: string): boolean => path.startsWith('dist/types/');
    expect(bytes((path) => path.startsWith('dist/') && !isType(path))).to.be.below(2.3e6);
    expect(bytes(isType)).to.be.below(5e5);
  });

  it('holds the licences of what it bundles', () => {
    const notices = readFileSync(`${ROOT}dist/third-party.txt`, 'utf8');
    for (const name of ['commander', 'yaml', 'zod'])
      expect(notices).to.match(new RegExp(`^${name} \\d+\\.`, 'm'));
    expect(notices.match(/Copyright/gi)!.length).to.be.above(10);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(ROOT.length));
}
