/**
 * `npm run build`, the second half: the program as a few files in dist/.
 *
 * Decides what is bundled: every module that is opened costs a start half a millisecond, so the program's own come together
 * with the libraries that most commands load. Heavy libraries, and those with files of their own, stay packages and are
 * loaded when they are needed.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('dist', import.meta.url));

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  entryPoints: ['src/cli/main.ts', 'src/runner/worker-main.ts'],
  outdir: DIST,
  outbase: 'src',
  // As deep as the sources: a path relative to a module holds in either.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
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
  // What a bundled CommonJS library asks for at run time: Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

for (const { path, contents } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}
// Only then what is left of an earlier build: a program that runs meanwhile finds its files.
const written = outputFiles.map(({ path }) => path);
for (const name of await readdir(DIST, { recursive: true })) {
  const path = join(DIST, name);
  if (!written.some((file) => file === path || file.startsWith(path + sep))) {
    await rm(path, { recursive: true, force: true });
  }
}
