/** `spark-eval pull MODEL`: fetches a model of the catalogue. How is the model floor's business. */
import type { Command } from 'commander';
import type { Session } from './session.js';

export function addPull(root: Command, session: Session): void {
  root
    .command('pull')
    .description('fetch a model, check it and keep it for later runs')
    .argument('<model>', 'a name of the catalogue (spark-eval list models)')
    .option('--force', 'fetch again and replace what is there')
    .option('--verify', 'compare the digests of what is there, not only the sizes')
    .action(async (name: string, options: { readonly force?: boolean; readonly verify?: boolean }) => {
      const { pullModel } = await import('../model/pull.js');
      const folder = await pullModel(name, {
        ...options,
        log: (line) => {
          session.note(line);
        },
      });
      session.print(folder);
    });
}
