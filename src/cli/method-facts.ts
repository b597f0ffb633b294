/**
 * What sets a method apart beside its axis: that it evicts while decoding, that it runs on changed weights.
 *
 * It is read from the method's own answers, so that `list` and `show` cannot differ from a run.
 */
import type { Axis, Method } from '../methods/types.js';
import { inputSchema, type JsonSchema } from '../base/describe.js';

/** Axes in the order in which a pipeline may have them, and what is decided on each. */
const AXIS_MEANING: Readonly<Record<Axis, string>> = {
  token: 'which positions stay',
  channel: 'which channels of the kept keys and values stay',
  rank: 'low-rank latents in place of keys and values',
  precision: 'bits of what is left',
};

export const AXIS_ORDER = Object.keys(AXIS_MEANING) as readonly Axis[];

/** Words in brackets behind a method's summary; empty for most. */
export function remarks(method: Method): string[] {
  const when = whenEvicting(method);
  return [
    ...(when === 'no' ? [] : [when === 'yes' ? 'evicts while decoding' : `evicts while decoding: ${when}`]),
    ...(method.axis === 'rank' ? ['changes the weights'] : []),
  ];
}

/** Titled lines of `show`. */
export function methodFacts(method: Method): Record<string, string> {
  return {
    axis: `${method.axis} (${AXIS_MEANING[method.axis]})`,
    paper: method.paper,
    stores: method.stores,
    'evicts while decoding': whenEvicting(method),
    weights:
      method.axis === 'rank'
        ? 'changed ones, made once per model and setting (spark-eval calibrate)'
        : "the model's own",
    size: method.sizedBy.join(' or '),
  };
}

/** `no`, `yes`, `with variant=original`, `yes, unless while_decoding=false`. */
function whenEvicting(method: Method): string {
  if (method.axis !== 'token') return 'no';
  const evicts = (params: object): boolean => method.evictsWhileDecoding?.(params) === true;
  const { properties = {} } = inputSchema(method.params);
  const defaults = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [name, field.default]),
  );
  const byDefault = evicts(defaults);
  const others = Object.entries(properties)
    .flatMap(([name, field]) => choicesOf(field).map((choice) => ({ name, choice })))
    .filter(({ name, choice }) => evicts({ ...defaults, [name]: choice }) !== byDefault)
    .map(({ name, choice }) => `${name}=${String(choice)}`);
  if (others.length === 0) return byDefault ? 'yes' : 'no';
  return `${byDefault ? 'yes, unless' : 'with'} ${others.join(' or ')}`;
}

function choicesOf(field: JsonSchema): readonly unknown[] {
  return field.type === 'boolean' ? [false, true] : (field.enum ?? []);
}
