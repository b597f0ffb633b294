#!/usr/bin/env node
// The launcher, nothing else. Node 22 and later keep compiled code between starts.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath, URL } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) {
  module.enableCompileCache?.();
  const { main } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  console.error(
    `spark-eval is not built: expected ${fileURLToPath(program)}\n  Run "npm run build" in ${folder}`,
  );
  process.exitCode = 1;
}
