/** `spark-eval pull NAME…`: fetches models and data sets, and goes on where an earlier pull broke off. */
import type { Command } from 'commander';
import { onInterrupt } from '../interrupt.js';
import { jsonOption, type JsonOptions, progressOption } from '../options.js';
import { createProgress, type ProgressForm } from '../progress.js';
import { pullProgress } from '../pull-progress.js';
import type { Session } from '../session.js';

interface PullOptions extends JsonOptions {
  readonly force?: boolean;
  readonly verify?: boolean;
  readonly progress: ProgressForm;
}

export function addPull(root: Command, session: Session): void {
  root
    .command('pull')
    .description('fetch models or data sets, check them and keep them for later runs')
    .argument(
      '<names...>',
      "names of the catalogues (spark-eval list models, spark-eval list data), or models' ids on the Hugging Face hub: org/name, org/name@revision, org/name:file.gguf",
    )
    .option('--force', 'fetch again and replace what is there')
    .option('--verify', 'compare the digests of what is there, not only the sizes')
    .addOption(progressOption())
    .addOption(jsonOption())
    .action(async (names: string[], { json, progress: form, ...options }: PullOptions) => {
      const [{ pull }, { pullableNamed }] = await Promise.all([
        import('../../pull/pull.js'),
        import('../../pull/pullable.js'),
      ]);
      // A name that is wrong is told before hours are spent on the ones before it.
      for (const name of names) pullableNamed(name);
      const interrupt = onInterrupt(
        session,
        'what has arrived is kept, and the same command goes on with it',
      );
      const pulled = [];
      try {
        for (const name of names) {
          const bar = createProgress(form, session.stderr, undefined, sizeText);
          pulled.push(
            await pull(name, {
              ...options,
              signal: interrupt.signal,
              progress: pullProgress(bar),
              log: (line) => {
                bar.log(line);
              },
            }),
          );
        }
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        session.exitCode = 130;
        return;
      } finally {
        interrupt.stop();
      }
      if (json === true)
        session.printJson(pulled.map(({ record, ...about }) => ({ ...about, record: record ?? null })));
      else for (const { folder } of pulled) session.print(folder);
    });
}

/** Bytes as they are counted while they arrive. */
function sizeText(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
