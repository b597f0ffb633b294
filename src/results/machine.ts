/**
 * What a result ran on: git state, Node, processor, memory.
 *
 * A figure means little without the machine and the commit that made it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { PACKAGE_FOLDER } from '../base/package.js';
import { processors } from '../base/processors.js';
import type { Manifest } from './types.js';

/** Node, platform, processor and memory of this machine. */
export function describeMachine(): Pick<Manifest, 'node' | 'platform' | 'cpu' | 'memoryBytes'> {
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: processors() },
    memoryBytes: totalmem(),
  };
}

/** Commit of the package where it is a checkout, else of the checkout that holds the spec, else null. */
export function gitState(specFile: string): Manifest['git'] {
  const folder = existsSync(join(PACKAGE_FOLDER, '.git')) ? PACKAGE_FOLDER : dirname(resolve(specFile));
  try {
    const commit = git(folder, 'rev-parse', 'HEAD').trim();
    return { commit, dirty: git(folder, 'status', '--porcelain').trim() !== '' };
  } catch {
    return null;
  }
}

/** Runs git read-only, and without the hooks that a repository's own configuration could start. */
function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, '-c', 'core.fsmonitor=false', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  });
}
