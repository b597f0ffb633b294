import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { isAllowed, licenceList, LIST_FILE, lockedPackages } from './licences.js';

const ROOT = new URL('../../', import.meta.url);

describe('licences of dependencies', () => {
  const packages = lockedPackages();

  it('go with Apache-2.0, all of them', () => {
    expect(packages.length).to.be.above(100);
    const refused = packages.filter(({ licence, use }) => !isAllowed(licence, use));
    expect(refused.map(({ name, licence, use }) => `${name}: ${licence} (${use})`)).to.deep.equal([]);
  });

  it('are what the installed packages say of themselves', () => {
    const installed = packages.filter(({ folder }) => existsSync(new URL(`${folder}/package.json`, ROOT)));
    expect(installed.length).to.be.above(100);
    for (const { folder, version, licence } of installed) {
      const path = new URL(`${folder}/package.json`, ROOT);
      const said = JSON.parse(readFileSync(path, 'utf8')) as { version: string; license?: string };
      expect({ version: said.version, licence: said.license }, folder).to.deep.equal({ version, licence });
    }
  });

  it('are listed in docs/licences.md (npm run licences)', () => {
    expect(readFileSync(LIST_FILE, 'utf8')).to.equal(licenceList(packages));
  });

  it('are read as SPDX expressions', () => {
    const allowed = ['MIT', '(MIT OR GPL-3.0-only)', 'GPL-2.0 OR MIT AND ISC', '(MIT AND (ISC OR AGPL-3.0))'];
    const refused = [
      ...[
        'GPL-3.0-only',
        'MIT AND GPL-2.0',
        '(MIT OR ISC) AND SSPL-1.0',
        'MPL-2.0',
        'none stated',
        'UNLICENSED',
      ],
      ...['', '(MIT', 'MIT)', 'MIT ISC', 'MIT OR', 'SEE LICENSE IN x', 'MIT WITH x'],
    ];
    for (const licence of allowed) expect(isAllowed(licence, 'run'), licence).to.equal(true);
    for (const licence of refused) expect(isAllowed(licence, 'run'), licence).to.equal(false);
    expect(isAllowed('MPL-2.0', 'optional')).to.equal(true);
    expect(isAllowed('GPL-3.0-only', 'development')).to.equal(false);
  });
});
