/**
 * Parameters that the parameters beside them leave without effect.
 *
 * A sweep over a parameter without effect would give equal rows under different names.
 */
import * as z from 'zod';
import { canonicalJson } from './canonical-json.js';

/** By parameter: under which others it has an effect. */
type Uses<P> = {
  readonly [K in keyof P]?: {
    readonly when: (params: P) => boolean;
    /** In words, e.g. `variant: original`. */
    readonly needs: string;
  };
};

/** The schema, which takes none of these parameters but by default where it has no effect. */
export function refuseUnused<S extends z.ZodObject>(schema: S, uses: Uses<z.output<S>>): S {
  const rules = Object.entries<Uses<z.output<S>>[string]>(uses);
  return schema.check((context) => {
    const params = context.value as z.output<S> & Record<string, unknown>;
    for (const [name, rule] of rules) {
      if (rule!.when(params) || isDefault(schema, name, params[name])) continue;
      const message = `expected only with ${rule!.needs} (without, it changes nothing)`;
      context.issues.push({ code: 'custom', input: context.value, path: [name], message });
    }
  });
}

function isDefault(schema: z.ZodObject, name: string, value: unknown): boolean {
  const { data } = z.safeParse((schema.shape as z.core.$ZodShape)[name]!, undefined);
  return canonicalJson(value ?? null) === canonicalJson(data ?? null);
}
