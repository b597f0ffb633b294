/**
 * Node's module hooks for plug-ins: `import 'spark-eval'` is the running program, and TypeScript files run as they are.
 *
 * A file of its own, and not part of the bundle, because Node loads hooks into a thread of their own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { transform } from 'sucrase';

let program;
let sources;

/**
 * @param data `program`: the URL of the running program's own module; `sources`: the folder of its sources, which whoever
 * runs them loads
 */
export function initialize(data) {
  ({ program, sources } = data);
}

export async function resolve(specifier, context, next) {
  if (specifier === 'spark-eval') return next(program, context);
  if (/^\.\.?\/.*\.m?js$/.test(specifier) && context.parentURL?.startsWith('file:')) {
    const url = new URL(specifier, context.parentURL);
    const typescript = new URL(url.href.replace(/js$/, 'ts'));
    if (!existsSync(url) && existsSync(typescript)) return next(typescript.href, context);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!/^file:.*\.m?ts$/.test(url) || url.startsWith(sources)) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = transform(readFileSync(path, 'utf8'), {
    transforms: ['typescript'],
    disableESTransforms: true,
    filePath: path,
  });
  return { format: 'module', source: code, shortCircuit: true };
}
