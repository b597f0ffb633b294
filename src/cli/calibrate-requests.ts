/**
 * Which weights `spark-eval calibrate` is asked for.
 *
 * Values are YAML and a list is a sweep, as in a spec, so that the same weights are asked for.
 */
import { UserError } from '../base/errors.js';
import type { RecalkvParams } from '../methods/rank/recalkv.js';
import type { WeightsRequest } from '../methods/types.js';
import { yamlFault } from '../experiment/yaml.js';
import { withTextPath } from '../experiment/paths.js';
import { readSpec } from './catalogue.js';

/** The requests that `name=value` pairs stand for. Throws UserError (exit code 2) where they are not parameters. */
export async function requestsOfParams(pairs: readonly string[]): Promise<WeightsRequest[]> {
  const [{ recalkv }, { expandParams }, { Problems }, { parseValue }] = await Promise.all([
    import('../methods/rank/recalkv.js'),
    import('../experiment/params.js'),
    import('../experiment/problems.js'),
    import('../experiment/yaml.js'),
  ]);
  const written = new Map<string, { flag: string; value: unknown }>();
  for (const pair of pairs) {
    const flag = `--param ${pair}`;
    const fail = (message: string, cause?: unknown): never => {
      throw new UserError(message, { place: flag, exitCode: 2, cause });
    };
    const equals = pair.indexOf('=');
    if (equals < 1) return fail('expected name=value, e.g. --param ratio=0.5  (spark-eval show recalkv)');
    const name = pair.slice(0, equals).trim();
    if (written.has(name)) return fail(`${name} is given twice; several values are a list: ${name}=[…, …]`);
    try {
      written.set(name, { flag, value: parseValue(pair.slice(equals + 1)) });
    } catch (error) {
      return fail(`the value is ${yamlFault(error as Error)}`, error);
    }
  }
  const problems = new Problems({
    place: ([name]) => written.get(String(name))?.flag ?? '--param',
    show: (path) => path.filter((step) => typeof step === 'string').join('.'),
  });
  const values = Object.fromEntries([...written].map(([name, { value }]) => [name, value]));
  const sets = expandParams(values, recalkv.params, [], problems);
  problems.throwIfAny();
  return sets.map((params) => recalkv.weights(params as RecalkvParams));
}

/** The requests of every pipeline of a spec. Throws UserError (exit code 2) where it has none. */
export async function requestsOfSpec(file: string): Promise<WeightsRequest[]> {
  const spec = await readSpec(file, { set: [], model: [], task: [] });
  const { weightSetsOf } = await import('../methods/weight-sets.js');
  const requests = weightSetsOf(spec.pipelines, spec.registry.methods).flatMap(({ request }) =>
    request === undefined ? [] : withTextPath(request, spec.folder),
  );
  if (requests.length > 0) return requests;
  throw new UserError('no pipeline of this spec needs calibrated weights', { place: file, exitCode: 2 });
}
