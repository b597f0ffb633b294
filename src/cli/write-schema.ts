/** Writes schema/spec.schema.json (`npm run schema`). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_FOLDER } from '../base/package.js';
import { specJsonSchema } from '../experiment/json-schema.js';
import { builtIn } from '../registry/registry.js';

const path = join(PACKAGE_FOLDER, 'schema', 'spec.schema.json');
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, `${JSON.stringify(specJsonSchema(builtIn), undefined, 1)}\n`);
