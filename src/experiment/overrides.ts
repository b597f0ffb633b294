/**
 * `--set path=value`: a field of the spec, changed on the command line.
 *
 * What is put in is validated with the rest of the file, and errors name the path as it was given.
 */
import type { Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, parseDocument, YAMLMap } from 'yaml';
import { UserError } from '../base/errors.js';
import { keyText, type SpecDocument } from './document.js';
import { didYouMean } from '../base/did-you-mean.js';
import { yamlFault } from './yaml.js';

/**
 * Applies one override, e.g. `cache.1.spark.ratio=0.8`: steps joined by dots, list items by 0-based number, also in brackets
 * as errors show them (`cache[1].spark.ratio`), the value as YAML. The last key may be new; everything before it must exist.
 * Throws UserError otherwise.
 */
export function applyOverride(document: SpecDocument, text: string): void {
  const flag = `--set ${text}`;
  const fail = (message: string, hint?: string): never => {
    throw new UserError(message, { place: flag, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
  };
  const equals = text.indexOf('=');
  if (equals < 0) return fail('expected path=value, got no "="', 'For example --set samples=5.');
  const path = text.slice(0, equals).trim();
  const steps = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (steps.some((step) => step === ''))
    return fail('expected keys and numbers joined by dots before the "="');
  const value = parseValue(text.slice(equals + 1), fail);

  let node: Node = document.document.contents!;
  for (const [depth, step] of steps.entries()) {
    const last = depth === steps.length - 1;
    const here = steps.slice(0, depth).join('.') || 'the spec';
    if (isSeq(node)) {
      const count = node.items.length;
      if (!/^\d+$/.test(step) || Number(step) >= count) {
        return fail(`${here} is a list of ${count}; expected an index from 0 to ${count - 1}, got "${step}"`);
      }
      if (last) document.replace(node, Number(step), value, flag);
      node = node.items[Number(step)] as Node;
    } else if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item) === step);
      if (last) {
        document.replace(node, step, value, flag);
        return;
      }
      if (pair === undefined) {
        const keys = node.items.map(keyText);
        return fail(
          `${here} has no key "${step}".${didYouMean(step, keys) || ` Its keys: ${keys.join(', ') || 'none'}.`}`,
        );
      }
      // `snapkv:` with nothing behind it is a method with its defaults.
      if (pair.value === null || (isScalar(pair.value) && pair.value.value === null)) {
        document.replace(node, step, new YAMLMap(), flag);
      }
      node = pair.value as Node;
    } else if (isAlias(node)) {
      return fail(`${here} is an alias (*${node.source}); change the value at its anchor instead`);
    } else {
      return fail(`${here} is a single value; it has no "${step}"`);
    }
  }
}

function parseValue(text: string, fail: (message: string) => never): Node {
  const parsed = parseDocument(text, { prettyErrors: false });
  const fault = [...parsed.errors, ...parsed.warnings][0];
  if (fault !== undefined) return fail(`the value is ${yamlFault(fault)}`);
  return parsed.contents ?? fail('expected a value after the "="');
}
