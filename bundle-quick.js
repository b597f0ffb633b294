/**
 * `npm run build`, the last part: the commands that only answer as one script, and that script compiled.
 *
 * Compiling is more than half of what such a command takes beyond the start of Node. Decides what the script holds (what
 * these commands load, and no more) and what is compiled (what runs when they run). It stays in `build/`, where it was made:
 * compiled code is of use to one version of Node alone, and is not published.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { build } from 'esbuild';
import { openQuick, QUICK_COMMANDS, QUICK_FILE, quickFile } from './bin/quick.js';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const COMPILE = '--compile';
const SCRIPT = 'quick.cjs';
/** What is run for the compiler; each ends with exit code 0. */
const RUNS = [
  ['--help'],
  ['list', 'methods'],
  ['list', 'tasks'],
  ['list', 'models'],
  ['show', 'spark'],
  ['plan', 'experiments/quickstart.yaml'],
];
const COMMANDS = join(ROOT, 'src', 'cli');
/** The modules whose `import()` a quick command may reach; all others are for other commands. */
const LOADERS = [...QUICK_COMMANDS, 'catalogue'].map((name) => join(COMMANDS, `${name}.ts`));

/** What other commands load is left out. Only commands load anything late, so that each is known by its module. */
const withoutOtherCommands = {
  name: 'without-other-commands',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, importer, path }) => {
      if (kind !== 'dynamic-import' || LOADERS.includes(importer)) return undefined;
      const fault = `import() outside of ${relative(ROOT, COMMANDS)}: who needs ${path} cannot be told`;
      return dirname(importer) === COMMANDS ? { path, external: true } : { errors: [{ text: fault }] };
    });
  },
};

/** Takes away what an earlier build left: no quick command is of other sources than the program. */
export function removeQuick() {
  const folder = dirname(QUICK_FILE);
  mkdirSync(folder, { recursive: true });
  const left = readdirSync(folder).filter((name) => /^quick-.*\.bin/.test(name));
  for (const name of left) rmSync(join(folder, name), { force: true });
}

/** Writes the file that `bin/quick.js` reads; `options` are those of the whole program. */
export async function bundleQuick(options) {
  const { outputFiles } = await build({
    ...options,
    entryPoints: ['src/cli/main.ts'],
    bundle: true,
    write: false,
    format: 'cjs',
    // They are beside the whole program, in dist/.
    legalComments: 'none',
    plugins: [withoutOtherCommands],
    define: { 'import.meta.url': 'MAIN_URL' },
    banner: { js: '(function(module,require,MAIN_URL){' },
    footer: { js: '})' },
  });
  const folder = mkdtempSync(join(tmpdir(), 'spark-eval-build-'));
  try {
    writeFileSync(join(folder, SCRIPT), outputFiles[0].contents);
    // A process of its own: a compiler that has seen nothing else, and the flags of every start.
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), COMPILE], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the script in the current folder to `QUICK_FILE`. */
async function compile() {
  const text = readFileSync(SCRIPT, 'latin1');
  const { script, program } = openQuick(text);
  for (const args of RUNS) {
    if ((await program.main(args)) !== 0) throw new Error(`spark-eval ${args.join(' ')} failed`);
  }
  const written = `${QUICK_FILE}.${process.pid}`;
  writeFileSync(written, quickFile(text, script.createCachedData()));
  renameSync(written, QUICK_FILE);
}

if (process.argv[2] === COMPILE) await compile();
