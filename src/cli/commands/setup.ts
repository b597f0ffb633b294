/** `spark-eval setup [native|gpu]`: installs a fast engine. How is the engine floor's business. */
import { Argument, type Command } from 'commander';
import { jsonOption, type JsonOptions } from '../options.js';
import type { Session } from '../session.js';

export function addSetup(root: Command, session: Session): void {
  root
    .command('setup')
    .description('build a fast engine over a current TensorFlow')
    .addArgument(new Argument('[engine]', 'which one').choices(['native', 'gpu']).default('native'))
    .option('--force', 'build again even if a working one is there')
    .addOption(jsonOption())
    .action(
      async (engine: 'native' | 'gpu', { json, ...options }: JsonOptions & { readonly force?: boolean }) => {
        const { setupNative } = await import('../../engine/native/setup.js');
        const folder = await setupNative({
          ...options,
          gpu: engine === 'gpu',
          log: (line) => {
            session.note(line);
          },
        });
        if (json === true) session.printJson({ engine, folder });
        else session.print(folder);
      },
    );
}
