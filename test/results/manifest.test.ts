import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { readManifest } from '../../src/results/manifest.js';
import { inFolder, manifest } from './support.js';

describe('results/manifest', () => {
  it('is refused where its spec is nested so deeply that nothing could compare it', () =>
    inFolder((folder) => {
      const path = join(folder, 'manifest.json');
      const deep = '{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000);
      writeFileSync(path, JSON.stringify({ ...manifest([]), spec: 0 }).replace('"spec":0', `"spec":${deep}`));
      expect(() => readManifest(path))
        .to.throw(UserError, 'it is nested too deeply')
        .with.property('place', path);
    }));
});
