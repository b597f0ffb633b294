/**
 * `spark-eval doctor`: what works here, and what to do about what does not.
 *
 * The engine, model and data floors say what they find; this puts it in one table with what helps.
 */
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { UserError } from '../../base/errors.js';
import { processors } from '../../base/processors.js';
import { alignColumns } from '../../report/text-table.js';
import { formatBytes, plural } from '../format.js';
import { jsonOption, type JsonOptions } from '../options.js';
import type { Session } from '../session.js';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What helps; empty where nothing is wrong. */
  readonly advice: string;
}

export function addDoctor(root: Command, session: Session): void {
  root
    .command('doctor')
    .description('show which engines, models and data sets are ready, and what helps where one is not')
    .addOption(jsonOption())
    .action(async (options: JsonOptions) => {
      const findings = [
        ...machineFindings(),
        ...(await engineFindings()),
        ...(await modelFindings()),
        ...(await dataFindings()),
      ];
      if (options.json === true) {
        session.printJson(findings);
        return;
      }
      const lines = alignColumns(findings.map(({ what, ok, found }) => [ok ? 'ok' : '–', what, found]));
      findings.forEach(({ advice }, index) => {
        session.print(lines[index]!);
        if (advice !== '') session.print(`      → ${advice}`);
      });
    });
}

/** As `engines` in package.json has it. */
const NODES = [
  { major: 20, minor: 19 },
  { major: 22, minor: 13 },
];

function machineFindings(): Finding[] {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const supported = major >= 24 || NODES.some((node) => node.major === major && minor >= node.minor);
  return [
    {
      what: 'Node',
      ok: supported,
      found: process.version,
      advice: supported ? '' : 'use Node 24, 22 (22.13 or newer) or 20 (20.19 or newer)',
    },
    { what: 'processors', ok: true, found: processorsFound(), advice: '' },
    {
      what: 'memory',
      ok: true,
      found: `${formatBytes(freemem())} free of ${formatBytes(totalmem())}`,
      advice: '',
    },
  ];
}

function processorsFound(): string {
  const [usable, shown] = [processors(), availableParallelism()];
  return usable === shown ? String(usable) : `${usable} of ${shown} (limit of the control group)`;
}

async function engineFindings(): Promise<Finding[]> {
  const { inspectEngines } = await import('../../engine/doctor.js');
  return (await inspectEngines()).map(({ name, available, versions, threads, detail, hint }) => {
    const software = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
    return {
      what: `engine ${name}`,
      ok: available,
      found: available ? [detail, ...software, plural(threads, 'thread')].join(', ') : detail,
      advice: hint ?? '',
    };
  });
}

async function modelFindings(): Promise<Finding[]> {
  const [{ MODEL_NAMES }, { resolveModel }] = await Promise.all([
    import('../../pull/models.js'),
    import('../../pull/locate-model.js'),
  ]);
  return MODEL_NAMES.map((name) => {
    try {
      return { what: `model ${name}`, ok: true, found: resolveModel(name).folder, advice: '' };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { what: `model ${name}`, ok: false, found: 'not there', advice: error.hint ?? '' };
    }
  });
}

async function dataFindings(): Promise<Finding[]> {
  const [{ DATA_SETS, dataSetFolder }, { missingFiles }] = await Promise.all([
    import('../../pull/data-sets.js'),
    import('../../pull/data-files.js'),
  ]);
  return DATA_SETS.map((dataset) => {
    const { name, files, usedBy } = dataset;
    const folder = dataSetFolder(name);
    const missing = missingFiles(dataset, folder).length;
    const found =
      missing === 0
        ? folder
        : missing === files.length
          ? 'not there'
          : `${missing} of ${plural(files.length, 'file')} missing in ${folder}`;
    const advice = missing === 0 ? '' : `spark-eval pull ${name}, for the tasks of ${usedBy.join(', ')}`;
    return { what: `data ${name}`, ok: missing === 0, found, advice };
  });
}
