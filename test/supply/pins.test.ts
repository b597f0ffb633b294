/** What comes from elsewhere is what it was: packages, embedded models and texts. Models and data to pull: test/model, test/data. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { sha256OfFile } from '../../src/base/digest.js';
import { NATIVE_PACKAGES } from '../../src/engine/native/folder.js';
import { TFJS_NODE_VERSION } from '../../src/engine/native/setup-steps.js';
import { lockedPackages } from './licences.js';

const ROOT = new URL('../../', import.meta.url);
const CARDS = ['models/spark-nano', 'datasets/essays', 'datasets/calibration', 'datasets/words'];
/** Packages that may run a script of their own when they are installed (docs/supply-chain.md says what they do). */
const INSTALL_SCRIPTS = ['esbuild', 'msgpackr-extract'];

/** Versions that were published with stolen credentials in September 2025. */
const STOLEN = [
  ...['ansi-regex@6.2.1', 'ansi-styles@6.2.2', 'backslash@0.2.1', 'chalk@5.6.1', 'chalk-template@1.1.1'],
  ...['color@5.0.1', 'color-convert@3.1.1', 'color-name@2.0.1', 'color-string@2.1.1', 'debug@4.4.2'],
  ...['error-ex@1.3.3', 'has-ansi@6.0.1', 'is-arrayish@0.3.3', 'simple-swizzle@0.2.3', 'slice-ansi@7.1.1'],
  ...['strip-ansi@7.1.1', 'supports-color@10.2.1', 'supports-hyperlinks@4.1.1', 'wrap-ansi@9.0.1'],
];

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
}

describe('pinned', () => {
  it('every package by its digest, with no address of its own', () => {
    for (const { folder, integrity } of lockedPackages()) {
      expect(integrity, folder).to.match(/^sha512-[A-Za-z0-9+/]{86}==$/);
    }
    expect(readFileSync(new URL('package-lock.json', ROOT), 'utf8')).not.to.match(
      /"resolved"|git\+|https?:.*\.tgz/,
    );
  });

  it('every direct dependency by one version', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest;
    const direct = {
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    };
    for (const [name, version] of Object.entries(direct)) expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
  });

  it('no TensorFlow that an installation fetches: named, optional, and not in the lock file', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest;
    const engines = Object.values(NATIVE_PACKAGES);
    expect(manifest.peerDependencies).to.deep.equal(
      Object.fromEntries(engines.map((name) => [name, TFJS_NODE_VERSION])),
    );
    for (const name of engines)
      expect(manifest.peerDependenciesMeta[name], name).to.deep.equal({ optional: true });
    const locked = lockedPackages().map(({ name }) => name);
    expect(locked.filter((name) => engines.includes(name))).to.deep.equal([]);
  });

  it('the packages that run a script when they are installed', () => {
    const running = lockedPackages().filter(({ hasInstallScript }) => hasInstallScript);
    const unknown = running.map(({ name }) => name).filter((name) => !INSTALL_SCRIPTS.includes(name));
    expect(unknown).to.deep.equal([]);
  });

  it('no version that a thief published', () => {
    const locked = lockedPackages().map(({ name, version }) => `${name}@${version}`);
    expect(locked.filter((version) => STOLEN.includes(version))).to.deep.equal([]);
  });

  for (const folder of CARDS) {
    it(`the files of ${folder} by the digests of its card`, async () => {
      const card = readFileSync(new URL(`${folder}/README.md`, ROOT), 'utf8');
      const rows = [...card.matchAll(/^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$/gm)];
      expect(rows).not.to.have.length(0);
      for (const [, name, sha256] of rows) {
        const path = fileURLToPath(new URL(`${folder}/${name!}`, ROOT));
        expect(statSync(path).isFile()).to.equal(true);
        expect(await sha256OfFile(path), name).to.equal(sha256);
      }
    });
  }
});
