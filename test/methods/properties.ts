/** The properties that every method has, as one suite per method. */
import { anyLayerProperties } from './properties-any-layer.js';
import { declarationProperties } from './properties-declaration.js';
import { tinyModelProperties } from './properties-tiny-model.js';
import type { MethodEntry } from './every-method.js';
import type { Registry } from './tiny-run.js';

export function describeMethod(entry: MethodEntry, registry: Registry): void {
  describe(entry.method, () => {
    describe('declaration', () => {
      declarationProperties(entry, registry);
    });
    describe('on any layer', () => {
      anyLayerProperties(entry, registry);
    });
    describe('on the tiny llama', () => {
      tinyModelProperties(entry, registry);
    });
  });
}
