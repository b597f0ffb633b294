/**
 * What a spec may name: the built-in methods and tasks, and those that plug-ins bring.
 *
 * One value, made where a spec is read and passed down with it, so that nothing below knows a global list.
 */
import { methods } from '../methods/built-in.js';
import type { Method } from '../methods/types.js';
import { tasks } from '../tasks/built-in.js';
import type { Task } from '../tasks/types.js';

export interface Registry {
  /** By name, in the order in which they are listed. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly tasks: ReadonlyMap<string, Task>;
  /** Where the methods and tasks that are not built in come from. */
  readonly plugins: readonly PluginRecord[];
}

/** A plug-in as it was loaded. Plain data. */
export interface PluginRecord {
  /** As the spec or the command line names it. */
  readonly use: string;
  /** Absolute path of its first file. */
  readonly path: string;
  /** sha256 (hex) of every file that it imports by a relative path, and of the packages that it imports. */
  readonly digest: string;
  /** Names of the methods and tasks that it brings. */
  readonly methods: readonly string[];
  readonly tasks: readonly string[];
}

export const builtIn: Registry = { methods, tasks, plugins: [] };

/** Digests of the plug-ins that a task and the steps of a pipeline come from, without duplicates; none for built-in ones. */
export function pluginDigests(
  { plugins }: Pick<Registry, 'plugins'>,
  task: string,
  steps: readonly { readonly method: string }[],
): string[] {
  return plugins
    .filter(
      (plugin) => plugin.tasks.includes(task) || steps.some(({ method }) => plugin.methods.includes(method)),
    )
    .map(({ digest }) => digest)
    .sort();
}
