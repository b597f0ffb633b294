/* global DecompressionStream, Blob, Response, atob */
// The data of the samples, as `src/report/html/sample-data.ts` packs it: blocks are unpacked when they are first looked at.
import { byId } from './elements.js';

/** Block size, and the sets with their pipelines and blobs. */
export const index = JSON.parse(byId('sample-index').textContent);

/** Blobs that stay unpacked. */
const HELD = 20;
const unpacked = new Map();

/** A blob of the page as the value that was packed. */
export function unpack(blob) {
  let value = unpacked.get(blob);
  if (value === undefined) {
    const bytes = Uint8Array.from(atob(byId(`blob-${blob}`).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    value = new Response(stream).json();
    if (unpacked.size >= HELD) unpacked.delete(unpacked.keys().next().value);
    unpacked.set(blob, value);
  }
  return value;
}
