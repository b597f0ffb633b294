#!/usr/bin/env node
// The launcher, nothing else.
import { existsSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) {
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  console.error(
    `spark-eval is not built: expected ${fileURLToPath(program)}\n  Run "npm run build" in ${folder}`,
  );
  process.exitCode = 1;
}
