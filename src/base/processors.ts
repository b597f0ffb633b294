/**
 * How many processors this process may use.
 *
 * A container that may use one of sixteen would start sixteen threads otherwise, which wait for each other.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Processors for the threads of this process: those that it may run on, as far as its control group lets it; at least 1. */
export function processors(): number {
  const limit = process.platform === 'linux' ? processorLimit(contentOf) : undefined;
  return Math.min(availableParallelism(), limit ?? Infinity);
}

/**
 * The processor time that the control groups of this process leave it (cgroup v1 and v2), in whole processors, rounded up, at
 * least 1; undefined where none limits it.
 *
 * @param read the content of a file, undefined where there is none
 */
export function processorLimit(read: (path: string) => string | undefined): number | undefined {
  const quotas = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers === '') return groupFolders(ROOT, path).map((folder) => unifiedQuota(folder, read));
    if (!controllers.split(',').includes('cpu')) return [];
    return [controllers, 'cpu']
      .flatMap((mount) => groupFolders(posix.join(ROOT, mount), path))
      .map((folder) => separateQuota(folder, read));
  });
  const limit = Math.min(...quotas.filter((quota) => quota > 0));
  return limit === Infinity ? undefined : Math.ceil(limit);
}

/** The folder of a group and of those above it. A container may see its own group as the root, and its path in none. */
function groupFolders(root: string, path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return [names, ...names.map((_, i) => names.slice(0, i))].map((some) => posix.join(root, ...some));
}

/** Version 2: `max 100000`, or microseconds of each period. In processors; NaN where there is no limit. */
function unifiedQuota(folder: string, read: (path: string) => string | undefined): number {
  const [quota, period] = (read(posix.join(folder, 'cpu.max')) ?? '').trim().split(/\s+/);
  return Number(quota) / Number(period);
}

/** Version 1: microseconds of each period, −1 where there is no limit. In processors, NaN or negative where there is none. */
function separateQuota(folder: string, read: (path: string) => string | undefined): number {
  const quota = read(posix.join(folder, 'cpu.cfs_quota_us'));
  const period = read(posix.join(folder, 'cpu.cfs_period_us'));
  return quota === undefined || period === undefined ? NaN : Number(quota) / Number(period);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // no such group, or none that may be read
  }
}
