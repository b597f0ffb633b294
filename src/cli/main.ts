/**
 * The command line: reads it, runs one command, turns errors into messages and exit codes.
 *
 * Commands load what they need when they run, so that `--help` loads nothing.
 */
import { Command, CommanderError } from 'commander';
import { diskError } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { withoutPasswords } from '../queue/address.js';
import { packageVersion } from '../base/package.js';
import { addCalibrate } from './commands/calibrate.js';
import { addCompletion } from './commands/completion.js';
import { addDoctor } from './commands/doctor.js';
import { addEstimate } from './commands/estimate.js';
import { addInit } from './commands/init.js';
import { addList } from './commands/list.js';
import { addMerge } from './commands/merge.js';
import { addPlan } from './commands/plan.js';
import { addPlot } from './commands/plot.js';
import { addPull } from './commands/pull.js';
import { addReport } from './commands/report.js';
import { addRun } from './commands/run.js';
import { type ExitCode, Session } from './session.js';
import { addSchema } from './commands/schema.js';
import { addSetup } from './commands/setup.js';
import { addShow } from './commands/show.js';
import { addSlurm } from './commands/slurm.js';
import { addStatus } from './commands/status.js';
import { addTables } from './commands/tables.js';
import { addWorker } from './commands/worker.js';

const COMMANDS = [
  addInit,
  addRun,
  addPlan,
  addStatus,
  addMerge,
  addSlurm,
  addWorker,
  addTables,
  addPlot,
  addReport,
  addEstimate,
  addList,
  addShow,
  addSchema,
  addPull,
  addCalibrate,
  addSetup,
  addDoctor,
  addCompletion,
];

/** Runs `spark-eval args…`; resolves to the exit code and never rejects. */
export async function main(args: readonly string[], session = ownSession(args)): Promise<ExitCode> {
  try {
    await program(session).parseAsync(args, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    report(error, session);
    return error instanceof UserError ? error.exitCode : 1;
  }
}

/** Of this process: it ends where its answer cannot be written; what it notes besides is not worth an end. */
function ownSession(args: readonly string[]): Session {
  const session = new Session(args);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `spark-eval list tasks | head`: whoever reads has seen enough.
    if (error.code === 'EPIPE') process.exit(0);
    report(diskError(error, 'standard output', 'write the answer', 'Send it to another place.'), session);
    process.exit(1);
  });
  process.stderr.on('error', () => undefined);
  return session;
}

function program(session: Session): Command {
  const root = new Command('spark-eval')
    .description('Honest, fast, reproducible evaluation of KV-cache compression for language models')
    .version(packageVersion(), '-V, --version')
    .option('--debug', 'show stack traces')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        session.print(text.trimEnd());
      },
      writeErr: (text) => {
        session.note(text.trimEnd());
      },
      outputError: (text, write) => {
        write(withoutPasswords(text.replace(/^error: /, 'spark-eval: ')));
      },
    })
    .showHelpAfterError('Run the same command with --help for its arguments and options.');
  for (const add of COMMANDS) add(root, session);
  return root;
}

function report(error: unknown, session: Session): void {
  const debug = session.args.includes('--debug');
  if (error instanceof UserError) {
    session.fail(error);
    if (debug) session.note(error.stack ?? '');
  } else if (debug && error instanceof Error) {
    session.note(error.stack ?? error.message);
  } else {
    session.note(`spark-eval: ${error instanceof Error ? error.message : String(error)}`);
    session.note(
      '  This is a fault of spark-eval. Run the same command with --debug and report what it prints.',
    );
  }
}
