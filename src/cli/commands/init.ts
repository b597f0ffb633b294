/**
 * `spark-eval init [NAME]`: a small spec to begin with.
 *
 * It runs as it is, in seconds and without a download, so that the first change is made to something that works.
 */
import { writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { diskError, makeFolders } from '../../base/disk.js';
import { UserError } from '../../base/errors.js';
import { STANDARD_INPUT } from '../../experiment/spec-text.js';
import { shellCommand } from '../format.js';
import type { Session } from '../session.js';
import { writeOutput } from '../write-output.js';

const NAME = 'my-eval';
const ELSEWHERE = 'Name another file.';

export function addInit(root: Command, session: Session): void {
  root
    .command('init')
    .description('write a small spec to begin with')
    .argument('[name]', 'name of the run, or file to write; - prints the spec', NAME)
    .option('--force', 'replace a file that is there')
    .action((name: string, options: { readonly force?: boolean }) => {
      if (name === STANDARD_INPUT) {
        session.print(starterSpec(NAME).trimEnd());
        return;
      }
      const file = /\.ya?ml$/.test(name) ? name : `${name}.yaml`;
      write(file, starterSpec(runName(file)), options.force === true);
      session.print(file);
      session.note(`  Show what it does: ${shellCommand(['spark-eval', 'plan', file])}`);
      session.note(`  Run it:            ${shellCommand(['spark-eval', 'run', file])}`);
    });
}

function runName(file: string): string {
  const name = basename(file).replace(/\.ya?ml$/, '');
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new UserError('expected letters, digits, ".", "_" or "-" (a letter or digit first)', {
    place: name,
    exitCode: 2,
  });
}

function write(file: string, text: string, force: boolean): void {
  if (force) {
    writeOutput(file, text);
    return;
  }
  makeFolders(dirname(file), 'create the folder', ELSEWHERE);
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw diskError(error, file, 'write', ELSEWHERE);
    }
    throw new UserError('is there already', {
      place: file,
      hint: 'Name another file, or replace this one with --force.',
      exitCode: 2,
    });
  }
}

function starterSpec(name: string): string {
  return `# What is lost when half of the tokens, or of the key channels, leave the KV cache? And how many bytes does it save?
# Run it with: spark-eval run FILE. The same command goes on where a run was stopped, and does only what a change adds.
name: ${name}

# A model of the catalogue (spark-eval list models), or a folder or .gguf file, relative to this file; a list is a sweep.
model: spark-nano

# Tasks, or whole families of them (spark-eval list tasks). Fields of a task stand under its name (spark-eval show NAME).
tasks:
  - ruler/niah_single_1
  - needle/map: { depth: [0, 50, 100], samples: 2 }
  # Your own questions, JSON lines with context, question and answers:
  # - own/f1: { file: my.jsonl, samples: all }

# Tokens of a whole sample. Leave it out where all tasks read files.
context: 512
samples: 4
seed: 42

# compressed: the question is known when the cache is compressed. appended: it is not.
question: compressed

# Pipelines (spark-eval list methods); full, the whole cache, is always one of them. The methods of a list follow each other.
# ratio is the share that is removed, budget the number of tokens that stay.
cache:
  - full
  - streaming_llm: { ratio: 0.5 }
  - snapkv: { ratio: [0.5, 0.8], window: 16 }
  - spark: { ratio: 0.5 }
  - [{ snapkv: { ratio: 0.5, window: 16 } }, { spark: { ratio: 0.5 } }]
  # Labels of tables can be pasted: - snapkv(ratio=0.5,window=16)+think(ratio=0.5)

# Results go here, relative to where the command is run: tables, every answer, the manifest.
output: results/${name}
`;
}
