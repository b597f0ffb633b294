/**
 * Figures of one kind of file, and what is kept of its faults.
 *
 * Faults are the same one where their words are equal, whatever the numbers in them.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Row } from '../types.js';
import type { Reply } from './child.js';

export class Tally {
  private readonly counts = { read: 0, refused: 0, fault: 0 };
  private mostCpuMs = 0;
  private peakRssBytes = 0;
  private readonly faults = new Map<string, { readonly first: string; times: number }>();

  constructor(private readonly what: string) {}

  /**
   * Counts a case. The folder of a fault that was not seen before is moved to `kept`.
   *
   * @returns that fault, in words
   */
  add({ outcome, cpuMs, peakRssBytes }: Reply, folder: string, kept: string): string | undefined {
    this.counts[typeof outcome === 'object' ? 'fault' : outcome]++;
    this.mostCpuMs = Math.max(this.mostCpuMs, cpuMs);
    this.peakRssBytes = Math.max(this.peakRssBytes, peakRssBytes);
    if (typeof outcome !== 'object') return undefined;
    const key = outcome.fault.replaceAll(folder, '').replace(/\d+/g, '#').slice(0, 200);
    const known = this.faults.get(key);
    if (known !== undefined) {
      known.times++;
      return undefined;
    }
    if (existsSync(folder)) {
      mkdirSync(dirname(kept), { recursive: true });
      renameSync(folder, kept);
    }
    const first = `${outcome.fault} (${kept})`;
    this.faults.set(key, { first, times: 1 });
    return first;
  }

  row(): Row {
    const { read, refused, fault } = this.counts;
    return {
      what: this.what,
      cases: read + refused + fault,
      faults: [...this.faults.values()].map(({ first, times }) =>
        times === 1 ? first : `${times} times: ${first}`,
      ),
      figures: {
        read,
        refused,
        'most CPU ms': Math.round(this.mostCpuMs),
        'peak MiB': Math.round(this.peakRssBytes / 2 ** 20),
      },
    };
  }
}
