/**
 * Which part of the suite a test file belongs to.
 *
 * `unit` needs nothing but this process and its threads, so that it can be run after every change. The others start the built
 * program, npm, a browser or a Redis, or compute for long.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** In the order in which they run together: the longest first. */
export const PARTS = ['slow', 'integration', 'golden', 'unit'] as const;
export type Part = (typeof PARTS)[number];

/** Folders (with a slash at the end) and files below test/. The first that fits counts; what none fits is `unit`. */
export const PLACES: readonly (readonly [string, Exclude<Part, 'unit'>])[] = [
  ['e2e/every-method.test.ts', 'slow'],
  ['e2e/grow.test.ts', 'slow'],
  ['e2e/install.test.ts', 'slow'],
  ['e2e/workers.test.ts', 'slow'],
  ['kernels/form.test.ts', 'slow'],
  ['torture/', 'slow'],
  ['docs/pages.test.ts', 'integration'],
  ['e2e/', 'integration'],
  ['queue/queue.test.ts', 'integration'],
  ['report/html/browser.test.ts', 'integration'],
  ['report/latex.test.ts', 'integration'],
  ['supply/package.test.ts', 'integration'],
  ['golden/', 'golden'],
];

export function partOf(file: string): Part {
  const fits = (place: string): boolean => (place.endsWith('/') ? file.startsWith(place) : file === place);
  return PLACES.find(([place]) => fits(place))?.[1] ?? 'unit';
}

/** All test files, relative to test/, with `/` between folders. */
export function testFiles(): string[] {
  const root = fileURLToPath(new URL('..', import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
}
