/**
 * Passages of an essay, and depths of several needles in them.
 */
import type { DataFiles } from '../files/data-files.js';
import { firstUnits } from '../ruler/essay.js';
import type { Piece } from '../ruler/pieces.js';

/** Depths of `count` needles: the first at `depth`, the others evenly spaced between it and the end. */
export function spreadDepths(depth: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => depth + (i * (100 - depth)) / count);
}

/** Some `units` units of the essay at `path`, in sentences, from the first sentence that begins at or behind `skip`. */
export function passage(files: DataFiles, path: string, skip: number, units: number): Piece[] {
  return firstUnits(files, path, skip + units).slice(firstUnits(files, path, skip).length);
}
