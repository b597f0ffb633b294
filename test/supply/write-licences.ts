/** `npm run licences`: writes docs/licences.md. */
import { writeFileSync } from 'node:fs';
import { licenceList, LIST_FILE, lockedPackages } from './licences.js';

writeFileSync(LIST_FILE, licenceList(lockedPackages()));
