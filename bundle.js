/**
 * `npm run build`, the second half: the program as a few files in dist/.
 *
 * Every module that is opened costs a start half a millisecond, so the program's own come together with the libraries that
 * most commands load. Heavy libraries, and those with files of their own, stay packages and are loaded when they are needed.
 * The licences of what is bundled go beside it, as they ask.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(ROOT, 'dist');

const OPTIONS = {
  absWorkingDir: ROOT,
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  external: [
    '@huggingface/*',
    '@node-rs/*',
    '@resvg/*',
    '@tensorflow/*',
    'bullmq',
    'ioredis',
    'vega',
    'vega-lite',
  ],
};

const { outputFiles, metafile } = await build({
  ...OPTIONS,
  entryPoints: ['src/index.ts', 'src/cli/main.ts', 'src/runner/worker-main.ts'],
  outdir: DIST,
  outbase: 'src',
  // As deep as the sources: a path relative to a module holds in either.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
  format: 'esm',
  legalComments: 'linked',
  // What a bundled CommonJS library asks for at run time: Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

const notices = {
  path: join(DIST, 'third-party.txt'),
  contents: thirdPartyNotices(Object.keys(metafile.inputs)),
};
const files = [...outputFiles, notices];
for (const { path, contents } of files) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}
// Only then what is left of an earlier build: a program that runs meanwhile finds its files.
const written = files.map(({ path }) => path);
for (const name of await readdir(DIST, { recursive: true })) {
  const path = join(DIST, name);
  if (!written.some((file) => file === path || file.startsWith(path + sep))) {
    await rm(path, { recursive: true, force: true });
  }
}
/** Name, version and licence texts of every package that a module was taken from; none may lack them. */
function thirdPartyNotices(modules) {
  const folders = modules.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]);
  const parts = [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      const texts = readdirSync(join(ROOT, folder)).filter((file) =>
        /^(licen[cs]e|copying|notice)/i.test(file),
      );
      if (texts.length === 0)
        throw new Error(`${name} has no licence file, and its licence must go with the bundle`);
      const read = texts.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim());
      return `${name} ${version} (${license})\n\n${read.join('\n\n')}\n`;
    });
  return `Licences of the packages that these files contain parts of.\n\n${parts.sort().join(`\n${'-'.repeat(80)}\n\n`)}`;
}
