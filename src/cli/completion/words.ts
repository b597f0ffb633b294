/**
 * The words that may follow each command, for completion scripts.
 *
 * Commands, options and their choices are those of the program; which argument takes which names is written here.
 */
import type { Argument, Command, Option } from 'commander';

export interface Names {
  readonly methods: readonly string[];
  /** Families first. */
  readonly tasks: readonly string[];
  readonly models: readonly string[];
  readonly data: readonly string[];
  readonly engines: readonly string[];
}

/** What may stand in a place: one of some words, a file or a folder, or anything. */
export type Values = { readonly words: readonly string[] } | 'file' | 'folder' | 'anything';

export interface OptionWords {
  readonly flags: readonly string[];
  readonly help: string;
  /** Undefined where it takes no value. */
  readonly values: Values | undefined;
  /** May be given several times. */
  readonly repeats: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly help: string;
  readonly options: readonly OptionWords[];
  readonly arguments: readonly {
    readonly name: string;
    readonly values: Values;
    readonly repeats: boolean;
  }[];
}

/** Every command of the program, with its words. */
export function describeProgram(root: Command, names: Names): CommandWords[] {
  return root.commands.map((command) => ({
    name: command.name(),
    help: command.description(),
    options: [...command.options, ...root.options]
      .filter((option) => !option.hidden)
      .map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined),
        help: option.description,
        values: option.required || option.optional ? ofOption(option, names) : undefined,
        repeats: Array.isArray(option.defaultValue),
      })),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      values: ofArgument(command.name(), argument, names),
      repeats: argument.variadic,
    })),
  }));
}

function ofOption({ long, argChoices, flags }: Option, { tasks, models }: Names): Values {
  if (argChoices !== undefined) return { words: argChoices };
  if (long === '--model') return { words: models };
  if (long === '--task') return { words: tasks };
  if (/<folder>/.test(flags)) return 'folder';
  return /<file>/.test(flags) ? 'file' : 'anything';
}

function ofArgument(command: string, argument: Argument, names: Names): Values {
  const { methods, tasks, models, data, engines } = names;
  if (argument.argChoices !== undefined) return { words: argument.argChoices };
  switch (command) {
    case 'show':
      return { words: ['full', ...methods, ...tasks, ...models, ...data, ...engines] };
    case 'pull':
      return { words: [...models, ...data] };
    case 'calibrate':
      return { words: models };
    case 'list':
      return { words: tasks.filter((task) => !task.includes('/')) };
    case 'worker':
      return 'anything';
    default:
      return /folders|results/.test(argument.name()) ? 'folder' : 'file';
  }
}
