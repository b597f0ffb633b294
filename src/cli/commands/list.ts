/**
 * `spark-eval list methods|tasks|models|data|engines`: what there is, one line each.
 *
 * Methods stand in the order of their axes. Tasks are a line a family, because there are more than a screen of them.
 */
import { Argument, type Command } from 'commander';
import { didYouMean } from '../../base/did-you-mean.js';
import { UserError } from '../../base/errors.js';
import { alignColumns } from '../../report/text-table.js';
import { loadRegistry } from '../catalogue.js';
import { jsonOption, type JsonOptions, useOption, type UseOptions } from '../options.js';
import type { Session } from '../session.js';

export const KINDS = ['methods', 'tasks', 'models', 'data', 'engines'] as const;
export type Kind = (typeof KINDS)[number];

export interface Entry {
  readonly name: string;
  /** Axis of a method, family of a task, licence of a model or a data set. */
  readonly group: string;
  readonly summary: string;
}

const ENGINES: readonly Entry[] = [
  { name: 'gpu', group: 'optional', summary: 'TensorFlow on an NVIDIA GPU (spark-eval setup gpu)' },
  { name: 'native', group: 'optional', summary: 'TensorFlow on the processor (spark-eval setup native)' },
  { name: 'wasm', group: 'built in', summary: 'WebAssembly on one thread; small models only' },
  { name: 'cpu', group: 'built in', summary: 'plain JavaScript, for tests: very slow' },
];

export function addList(root: Command, session: Session): void {
  root
    .command('list')
    .description('list what a spec or a pull may name')
    .addArgument(new Argument('<kind>', 'what to list').choices(KINDS))
    .argument('[family]', 'list tasks only: the tasks of one family, a line each')
    .addOption(useOption())
    .addOption(jsonOption())
    .action(async (kind: Kind, family: string | undefined, options: JsonOptions & UseOptions) => {
      const all = await listEntries(kind, options.use);
      const entries = family === undefined ? all : familyOf(kind, family, all);
      if (options.json === true) session.printJson(entries);
      else
        session.print(listText(kind === 'tasks' && family === undefined ? familyLines(all) : lines(entries)));
    });
}

function lines(entries: readonly Entry[]): string[][] {
  return entries.map(({ name, group, summary }) => [name, group, summary]);
}

/** A family with the names of its tasks, without the family before each. */
function familyLines(entries: readonly Entry[]): string[][] {
  const families = [...new Set(entries.map(({ group }) => group))];
  return families.map((family) => {
    const names = entries.filter(({ group }) => group === family).map(({ name }) => name);
    const own = (name: string): string =>
      name.startsWith(`${family}/`) ? name.slice(family.length + 1) : name;
    return [family, names.map(own).join(' ')];
  });
}

function listText(rows: readonly (readonly string[])[]): string {
  return alignColumns(rows).join('\n');
}

function familyOf(kind: Kind, family: string, entries: readonly Entry[]): readonly Entry[] {
  if (kind !== 'tasks') {
    throw new UserError(`only tasks have families; list ${kind} takes no "${family}"`, { exitCode: 2 });
  }
  const own = entries.filter(({ group, name }) => group === family || name === family);
  if (own.length > 0) return own;
  const families = [...new Set(entries.map(({ group }) => group))];
  throw new UserError(`no family of tasks is called "${family}".${didYouMean(family, families)}`, {
    hint: `Known: ${families.join(', ')}.`,
    exitCode: 2,
  });
}

/** Everything of a kind, in the order of its registry; methods axis by axis. */
export async function listEntries(kind: Kind, use: readonly string[] = []): Promise<readonly Entry[]> {
  switch (kind) {
    case 'methods': {
      const [{ methods }, { AXIS_ORDER, remarks }] = await Promise.all([
        loadRegistry(use),
        import('../method-facts.js'),
      ]);
      return AXIS_ORDER.flatMap((axis) => [...methods.values()].filter((method) => method.axis === axis)).map(
        (method) => {
          const added = remarks(method);
          const summary = added.length === 0 ? method.summary : `${method.summary} (${added.join('; ')})`;
          return { name: method.name, group: method.axis, summary };
        },
      );
    }
    case 'tasks': {
      const { tasks } = await loadRegistry(use);
      return [...tasks.values()].map(({ name, family, summary }) => ({ name, group: family, summary }));
    }
    case 'models': {
      const [{ CATALOGUE }, { pinText, pulledByIds, pulledSummary }] = await Promise.all([
        import('../../pull/models.js'),
        import('../pull-facts.js'),
      ]);
      const named = CATALOGUE.map(({ name, licence, title, sources }) => {
        const pinned = pinText(sources);
        return {
          name,
          group: licence ?? '',
          summary: pinned === undefined ? title : `${title} (${pinned})`,
        };
      });
      const ids = pulledByIds().map((record) => ({
        name: record.name,
        group: '',
        summary: pulledSummary(record),
      }));
      return [...named, ...ids];
    }
    case 'data': {
      const { DATA_SETS } = await import('../../pull/data-sets.js');
      return DATA_SETS.map(({ name, licence, title }) => ({ name, group: licence, summary: title }));
    }
    case 'engines':
      return ENGINES;
  }
}
