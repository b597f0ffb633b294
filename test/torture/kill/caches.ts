/**
 * The cache folder's writers as victims: pull, pull --force and setup, from stand-ins on this machine.
 *
 * A stand-in takes the place of the hub and of the tools of a build; a finished cache folder holds the same files, and
 * nothing beside them.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { randomFor } from '../../../src/base/random.js';
import { startSlowHub } from './slow-hub.js';
import type { Finished, Victim, VictimMaker } from './victim.js';

const LENGTHS = [4096, 8192, 16384];
const FILE_BYTES = 400_000;

export const pull: VictimMaker = (folder) => pullVictim(folder, 'pull', []);

/** Over a data set that is there: whole before, whole after, and never there by half. */
export const pullForce: VictimMaker = async (folder) => {
  const victim = await pullVictim(folder, 'pull --force', ['--force']);
  const final = join(victim.watched, 'ruler-hub');
  const reset = (): void => {
    victim.reset();
    for (const [path, content] of victim.served) writeAt(join(final, path), content);
    const files = Object.fromEntries(
      victim.served.map(([path, content]) => [path, { bytes: content.length, sha256: sha256(content) }]),
    );
    const about = { format: 1, dataset: 'ruler-hub', source: 'a test', revision: null, pulledAt: 'before' };
    writeFileSync(join(final, 'pull.json'), JSON.stringify({ ...about, files }));
  };
  return {
    ...victim,
    reset,
  };
};

async function pullVictim(
  folder: string,
  name: string,
  options: readonly string[],
): Promise<
  Omit<Victim, 'reset'> & {
    readonly reset: () => void;
    readonly served: readonly (readonly [string, Buffer])[];
  }
> {
  const { hub, url, close } = await startSlowHub();
  const random = randomFor('torture/pull');
  const served = LENGTHS.map((length): readonly [string, Buffer] => {
    const words = Uint32Array.from({ length: FILE_BYTES / 4 }, () => random.uint32());
    return [`${length}/test-00000-of-00001.parquet`, Buffer.from(words.buffer)];
  });
  for (const [path, content] of served) hub.files[path] = content;
  const cache = join(folder, 'cache');
  const data = join(cache, 'data');
  const final = join(data, 'ruler-hub');
  return {
    name,
    served,
    args: ['pull', 'ruler-hub', ...options],
    env: { SPARK_EVAL_CACHE: cache, HF_ENDPOINT: url },
    watched: data,
    reset: () => {
      rmSync(cache, { recursive: true, force: true });
    },
    finished: () => [...new Map(filesBelow(data).sort(finalLast).filter(isWhole).map(named))],
    faults: () => {
      const beside = readdirSync(data).filter((entry) => entry !== 'ruler-hub');
      const faults = beside.map((entry) => `${entry} was left`);
      const expected = [...served.map(([path]) => path), 'pull.json'].sort();
      const found = filesBelow(final).map((path) => relative(final, path));
      if (found.sort().join() !== expected.join())
        faults.push(`expected ${expected.join()}, found ${found.join()}`);
      for (const [path, content] of served) {
        if (existsSync(join(final, path)) && !readFileSync(join(final, path)).equals(content))
          faults.push(`${path} has other bytes`);
      }
      return faults;
    },
    close,
  };
}

/** Of a data set and what is on its way to become it, the data set counts. */
function finalLast(a: string, b: string): number {
  return Number(a.includes('/ruler-hub/')) - Number(b.includes('/ruler-hub/'));
}

function isWhole(path: string): boolean {
  return path.endsWith('.parquet');
}

function named(path: string): Finished {
  return [basename(dirname(path)), sha256(readFileSync(path))];
}

const PACKAGE = 'node_modules/@tensorflow/tfjs-node';

/**
 * Tools that do in a second what the real ones do in minutes. `npm` installs a package in plain JavaScript whose product
 * of matrices is right; `pip` downloads a wheel of nothing.
 */
const TOOLS: Readonly<Record<string, string>> = {
  npm: `if [ "$1" = install ]; then
  mkdir -p ${PACKAGE}/deps
  for i in 1 2 3 4 5; do head -c 100000 /dev/zero > ${PACKAGE}/part$i; sleep 0.05; done
  cat > ${PACKAGE}/index.js <<'EOF'
exports.tensor2d = (data, shape) => ({ data, shape });
exports.matMul = (a, b) => ({
  dataSync: () => {
    const [m, k] = a.shape;
    const n = b.shape[1];
    const out = new Float32Array(m * n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) for (let x = 0; x < k; x++) out[i * n + j] += a.data[i * k + x] * b.data[x * n + j];
    return out;
  },
});
exports.backend = () => ({ binding: { TF_Version: '0.0.0' }, isUsingGpuDevice: false });
exports.version = { 'tfjs-core': '0.0.0', 'tfjs-node': '0.0.0' };
EOF
elif [ "$1" = exec ]; then mkdir -p build; sleep 0.2; touch lib; fi`,
  python3: `while [ $# -gt 0 ]; do
  if [ "$1" = --dest ]; then mkdir -p "$2"; sleep 0.1; head -c 200000 /dev/zero > "$2/tensorflow_cpu-0.0.0-cp311.whl"; sleep 0.1; fi
  shift
done`,
  make: '',
  'g++': '',
};

export const setup: VictimMaker = (folder) => {
  if (process.platform !== 'linux') return 'setup builds on Linux only';
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [tool, script] of Object.entries(TOOLS)) {
    writeFileSync(join(bin, tool), `#!/bin/sh\n${script}\nexit 0\n`, { mode: 0o755 });
  }
  const cache = join(folder, 'cache');
  const final = join(cache, 'tensorflow-native');
  return {
    name: 'setup',
    args: ['setup', 'native'],
    env: { SPARK_EVAL_CACHE: cache, PATH: `${bin}:/usr/bin:/bin`, CXX: 'g++' },
    watched: cache,
    reset: () => {
      rmSync(cache, { recursive: true, force: true });
    },
    // The folder appears when it is finished, and then stays as it is.
    finished: () => (existsSync(final) ? [['tensorflow-native', treeDigest(final)]] : []),
    faults: () => {
      const beside = readdirSync(cache).filter((entry) => entry !== 'tensorflow-native');
      const faults = beside.map((entry) => `${entry} was left`);
      const missing = ['marker.json', `${PACKAGE}/index.js`, `${PACKAGE}/part5`, `${PACKAGE}/lib`].filter(
        (path) => !existsSync(join(final, path)),
      );
      return missing.length === 0 ? faults : [...faults, `${missing.join(', ')} is missing`];
    },
    close: () => undefined,
  };
};

function writeAt(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function treeDigest(folder: string): string {
  return sha256(
    filesBelow(folder)
      .sort()
      .map((path) => `${path} ${statSync(path).size}`)
      .join('\n'),
  );
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
