/**
 * Plug-ins: methods and tasks from files and packages that a spec or the command line names.
 *
 * A plug-in is the user's own code and runs in this process with all its rights; only paths that the user gave are loaded,
 * never one that a job of a queue names.
 */
import { existsSync, statSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../base/errors.js';
import { packageFile } from '../base/package.js';
import { pluginDigest } from './plugin-files.js';
import { extensionsOf } from './plugin-shape.js';
import { builtIn, type PluginRecord, type Registry } from './registry.js';

export interface Use {
  /** A path, absolute or from `folder`, or the name of a package. */
  readonly use: string;
  /** Where paths start and packages are looked for. */
  readonly folder: string;
  /** Where it is named: `my.yaml:3:8`, `--use`. */
  readonly place: string;
}

let hooked = false;

/**
 * The built-in methods and tasks with those of the plug-ins.
 *
 * @throws UserError (exit code 2) with the place of the plug-in that is not there, throws, is no method or task, or takes a
 * name that is taken
 */
export async function openRegistry(uses: readonly Use[]): Promise<Registry> {
  if (uses.length === 0) return builtIn;
  const methods = new Map(builtIn.methods);
  const tasks = new Map(builtIn.tasks);
  const plugins: PluginRecord[] = [];
  for (const { use, folder, place } of uses) {
    const path = locate(use, folder, place);
    if (plugins.some((plugin) => plugin.path === path)) continue;
    const where = `${place}, ${path}`;
    const record = {
      use,
      path,
      digest: await digestAt(path, place),
      methods: [] as string[],
      tasks: [] as string[],
    };
    for (const { kind, value } of extensionsOf(await load(path, where), where)) {
      const { name } = value;
      if (kind === 'method') expectFree(methods, name, kind, where);
      else expectFree(tasks, name, kind, where);
      if (kind === 'method') methods.set(name, value);
      else tasks.set(name, value);
      record[kind === 'method' ? 'methods' : 'tasks'].push(name);
    }
    plugins.push(record);
  }
  return { methods, tasks, plugins };
}

/**
 * The registry of a run, in another process of the same machine.
 *
 * @throws UserError where a plug-in is not any more what it was when the run began
 */
export async function reopenRegistry(plugins: readonly PluginRecord[]): Promise<Registry> {
  const registry = await openRegistry(
    plugins.map(({ path }) => ({ use: path, folder: dirname(path), place: 'use' })),
  );
  const changed = plugins.find(({ digest }, p) => registry.plugins[p]?.digest !== digest);
  if (changed === undefined) return registry;
  throw new UserError(`the plug-in ${changed.path} has changed since the run began`, {
    hint: 'Run the same command again; what was computed with the old one is kept apart.',
  });
}

function locate(use: string, folder: string, place: string): string {
  const isPath = isAbsolute(use) || /^\.\.?([/\\]|$)/.test(use) || /\.[cm]?[jt]s$/.test(use);
  if (isPath) {
    const path = resolve(folder, use);
    if (existsSync(path) && statSync(path).isFile()) return path;
    throw new UserError(`no plug-in ${path}`, {
      place,
      hint: 'Expected the path of a .ts, .mts, .js or .mjs file, relative to the spec.',
      exitCode: 2,
    });
  }
  try {
    return createRequire(join(folder, 'spec')).resolve(use);
  } catch (error) {
    throw new UserError(`no package "${use}" here`, {
      place,
      hint: `Install it beside the spec (npm install ${use}), or name a file: ./${use}.ts.`,
      exitCode: 2,
      cause: error,
    });
  }
}

async function digestAt(path: string, place: string): Promise<string> {
  try {
    return await pluginDigest(path);
  } catch (error) {
    throw error instanceof UserError ? error.at(place) : error;
  }
}

async function load(path: string, place: string): Promise<Record<string, unknown>> {
  if (!hooked) {
    // As deep as this module in the sources and in the bundle alike.
    const program = new URL('../index.js', import.meta.url).href;
    const sources = pathToFileURL(packageFile('src/')).href;
    register(pathToFileURL(packageFile('assets', 'plugin-hooks.js')), { data: { program, sources } });
    hooked = true;
  }
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof UserError) throw error.at(place);
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const line = stack.split('\n').find((row) => row.includes(pathToFileURL(path).href));
    const at = /:(\d+):(\d+)\)?$/.exec(line ?? '');
    throw new UserError(`cannot be loaded: ${message}`, {
      place: at === null ? place : `${place}:${at[1]!}:${at[2]!}`,
      hint: 'Run the same command with --debug for the stack trace.',
      exitCode: 2,
      cause: error,
    });
  }
}

function expectFree(known: ReadonlyMap<string, unknown>, name: string, kind: string, place: string): void {
  if (!known.has(name)) return;
  const own = kind === 'method' ? builtIn.methods.has(name) : builtIn.tasks.has(name);
  throw new UserError(`the ${kind} "${name}" is ${own ? 'built in' : 'brought by another plug-in'} already`, {
    place,
    hint: 'Give it another name.',
    exitCode: 2,
  });
}
