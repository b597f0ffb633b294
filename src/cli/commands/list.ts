/**
 * `spark-eval list methods|tasks|models|data|engines`: what there is.
 *
 * Decides what one line says of each; methods stand in the order of their axes. Loads no tensor library.
 */
import { Argument, type Command } from 'commander';
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
    .addOption(useOption())
    .addOption(jsonOption())
    .action(async (kind: Kind, options: JsonOptions & UseOptions) => {
      const entries = await listEntries(kind, options.use);
      if (options.json === true) session.printJson(entries);
      else
        session.print(
          alignColumns(entries.map(({ name, group, summary }) => [name, group, summary])).join('\n'),
        );
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
      const { CATALOGUE } = await import('../../pull/models.js');
      return CATALOGUE.map(({ name, licence, title }) => ({ name, group: licence, summary: title }));
    }
    case 'data': {
      const { DATA_SETS } = await import('../../pull/data-sets.js');
      return DATA_SETS.map(({ name, licence, title }) => ({ name, group: licence, summary: title }));
    }
    case 'engines':
      return ENGINES;
  }
}
