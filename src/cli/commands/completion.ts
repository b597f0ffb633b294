/**
 * `spark-eval completion bash|zsh`: a script that completes commands, options and names in a shell.
 *
 * It is made from the program itself and holds all words, so that a key press starts no process.
 */
import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { describeProgram, type Names } from '../completion/words.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Session } from '../session.js';
import { listEntries } from './list.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion } as const;

export function addCompletion(root: Command, session: Session): void {
  root
    .command('completion')
    .description('print a script that completes commands, options and names')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      [
        '',
        'bash: spark-eval completion bash > ~/.local/share/bash-completion/completions/spark-eval',
        'zsh:  spark-eval completion zsh > "${fpath[1]}/_spark-eval"',
      ].join('\n'),
    )
    .action(async (shell: keyof typeof SHELLS) => {
      session.print(SHELLS[shell](describeProgram(root, await knownNames())));
    });
}

async function knownNames(): Promise<Names> {
  const kinds = ['methods', 'tasks', 'models', 'data', 'engines'] as const;
  const [methods, tasks, models, data, engines] = await Promise.all(
    kinds.map(async (kind) => (await listEntries(kind)).map(({ name }) => name)),
  );
  const families = [...new Set(tasks!.map((task) => task.split('/')[0]!))];
  return {
    methods: methods!,
    tasks: [...families, ...tasks!],
    models: models!,
    data: data!,
    engines: engines!,
  };
}
