/** `spark-eval pull NAME`: fetches a model or a data set of the catalogues. How is the business of their floors. */
import type { Command } from 'commander';
import { didYouMean } from '../../base/did-you-mean.js';
import { UserError } from '../../base/errors.js';
import type { Session } from '../session.js';

interface PullOptions {
  readonly force?: boolean;
  readonly verify?: boolean;
}

export function addPull(root: Command, session: Session): void {
  root
    .command('pull')
    .description('fetch a model or a data set, check it and keep it for later runs')
    .argument('<name>', 'a name of the catalogues (spark-eval list models, spark-eval list data)')
    .option('--force', 'fetch again and replace what is there')
    .option('--verify', 'compare the digests of what is there, not only the sizes')
    .action(async (name: string, options: PullOptions) => {
      const pull = await pullerOf(name);
      const folder = await pull(name, {
        ...options,
        log: (line) => {
          session.note(line);
        },
      });
      session.print(folder);
    });
}

async function pullerOf(
  name: string,
): Promise<(name: string, options: PullOptions & { log: (line: string) => void }) => Promise<string>> {
  const [{ findModel, MODEL_NAMES }, { DATA_SET_NAMES, findDataSet }] = await Promise.all([
    import('../../pull/models.js'),
    import('../../pull/data-sets.js'),
  ]);
  if (findDataSet(name) !== undefined) return (await import('../../pull/pull-data.js')).pullDataSet;
  if (findModel(name) !== undefined) return (await import('../../pull/pull-model.js')).pullModel;
  const known = [...MODEL_NAMES, ...DATA_SET_NAMES];
  throw new UserError(`no model or data set is called "${name}".${didYouMean(name, known)}`, {
    hint: `Known: ${known.join(', ')}.`,
    exitCode: 2,
  });
}
