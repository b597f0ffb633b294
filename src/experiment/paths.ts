/**
 * Paths of input files in a spec: relative to the spec, wherever the program is started.
 *
 * Cells and manifests keep paths as the spec spells them, so that keys and labels do not depend on where the spec lies.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { WeightsRequest } from '../methods/types.js';
import { parseHubId } from '../pull/hub-id.js';
import { MODEL_NAMES } from '../pull/models.js';
import type { Params } from './params.js';

/** Parameters that are paths, in every task that has them. */
const PATHS: readonly string[] = ['file', 'folder', 'essay'];

/** A task's parameters with absolute paths, each as `seen` makes it. */
export function withPaths<P>(params: P, folder: string, seen = (path: string): string => path): P {
  return Object.fromEntries(
    Object.entries(params as Params).map(([name, value]) => [
      name,
      PATHS.includes(name) && typeof value === 'string' ? seen(resolve(folder, value)) : value,
    ]),
  ) as P;
}

/** A request for weights whose text is named by an absolute path. */
export function withTextPath(request: WeightsRequest, folder: string): WeightsRequest {
  const { text } = request.params;
  if (typeof text !== 'string') return request;
  return { ...request, params: { ...request.params, text: resolve(folder, text) } };
}

/** What a spec's model is opened as: a path is made absolute; a name or an id stays as it is, unless a file has it. */
export function modelPlace(model: string, folder: string): string {
  if (MODEL_NAMES.includes(model) || isAbsolute(model)) return model;
  const path = resolve(folder, model);
  const isPath = parseHubId(model) === undefined && /^\.|\\|\.gguf$/.test(model);
  return isPath || existsSync(path) || existsSync(model) ? path : model;
}
