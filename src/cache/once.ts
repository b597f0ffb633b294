/**
 * Values that are computed once and looked up by name afterwards.
 *
 * A layer's trace carries one, so that what several pipelines need of the layer lives exactly as long as the trace.
 */

/** The result of `compute`; who asks again under the same name gets the same object. */
export type Once = <T>(name: string, compute: () => T) => T;

export function onceByName(): Once {
  const known = new Map<string, unknown>();
  return <T>(name: string, compute: () => T): T => {
    if (!known.has(name)) known.set(name, compute());
    return known.get(name) as T;
  };
}
