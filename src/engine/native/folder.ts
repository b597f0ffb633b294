/**
 * Where a TensorFlow that `spark-eval setup` built lives, and the marker that says it is finished.
 *
 * A folder without a valid marker is treated as absent, whatever else it holds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { cacheFolder } from '../../base/cache-folder.js';

/** The two engines that run on the TensorFlow library. */
export type NativeKind = 'native' | 'gpu';

export const NATIVE_PACKAGES: Readonly<Record<NativeKind, string>> = {
  native: '@tensorflow/tfjs-node',
  gpu: '@tensorflow/tfjs-node-gpu',
};

const markerSchema = z.strictObject({
  format: z.literal(1),
  package: z.string(),
  tensorflow: z.string(),
  tfjsNode: z.string(),
  wheel: z.string(),
  wheelSha256: z.string(),
  node: z.string(),
  builtAt: z.string(),
});

/** What was built, from what, and when; `marker.json` in the build's folder. */
export type NativeMarker = z.infer<typeof markerSchema>;

/** Folder of the finished build of one kind. */
export function nativeFolder(kind: NativeKind): string {
  return join(cacheFolder(), `tensorflow-${kind}`);
}

/** Folder of the npm package inside a build. */
export function packageFolder(folder: string, kind: NativeKind): string {
  return join(folder, 'node_modules', NATIVE_PACKAGES[kind]);
}

export function markerFile(folder: string): string {
  return join(folder, 'marker.json');
}

/** The marker of a finished build, or undefined where there is none that can be read. */
export function readMarker(folder: string): NativeMarker | undefined {
  try {
    return markerSchema.parse(JSON.parse(readFileSync(markerFile(folder), 'utf8')));
  } catch {
    return undefined;
  }
}
