#!/usr/bin/env node
// The launcher, nothing else.
import { existsSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { quickProgram } from './quick.js';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) {
  const args = process.argv.slice(2);
  const { main } = quickProgram(args) ?? (await import(program.href));
  process.exitCode = await main(args);
} else {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  console.error(
    `spark-eval is not built: expected ${fileURLToPath(program)}\n  Run "npm run build" in ${folder}`,
  );
  process.exitCode = 1;
}
