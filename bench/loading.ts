/**
 * Loads a model with the sources of a checkout and says what that took: `tsx bench/loading.ts CHECKOUT MODEL`.
 *
 * Rooms have moved between versions: a module is looked for where it is, or was.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Loading from '../src/checkpoint/load.js';
import type * as Engines from '../src/engine/index.js';
import type * as Crews from '../src/kernels/crew.js';
import type * as Transformers from '../src/model/transformer.js';

const [checkout, model] = process.argv.slice(2) as [string, string];

async function moduleOf<T>(...paths: readonly string[]): Promise<T | undefined> {
  const path = paths.map((one) => join(checkout, 'src', one)).find((one) => existsSync(one));
  return path === undefined ? undefined : ((await import(pathToFileURL(path).href)) as T);
}

const { openEngine } = (await moduleOf<typeof Engines>('engine/index.ts'))!;
const { openModelFiles } = (await moduleOf<typeof Loading>('checkpoint/load.ts', 'model/load.ts'))!;
const { Transformer } = (await moduleOf<typeof Transformers>('model/transformer.ts'))!;
const crews = await moduleOf<typeof Crews>('kernels/crew.ts');

const engine = await openEngine('native');
const files = await openModelFiles(model);
const crew = await crews?.openCrew(engine.threads, () => undefined);
const before = process.resourceUsage().maxRSS;
const started = performance.now();
Transformer.load(engine, files, crew);
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ bytes: 1024 * (process.resourceUsage().maxRSS - before), seconds }));
process.exit();
