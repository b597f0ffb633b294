/**
 * `spark-eval schema`: the JSON Schema of spec files, for editors.
 *
 * The package ships one with the built-in methods and tasks; plug-ins have parameters that only this command knows.
 */
import type { Command } from 'commander';
import { loadRegistry } from '../catalogue.js';
import { useOption, type UseOptions } from '../options.js';
import type { Session } from '../session.js';

export function addSchema(root: Command, session: Session): void {
  root
    .command('schema')
    .description('print the JSON Schema of spec files, with the methods and tasks of plug-ins')
    .addOption(useOption())
    .action(async ({ use }: UseOptions) => {
      const { specJsonSchema } = await import('../../experiment/json-schema.js');
      session.printJson(specJsonSchema(await loadRegistry(use)));
    });
}
