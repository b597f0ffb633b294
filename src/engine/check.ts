/**
 * Loads a tfjs-node package in a child process and compares a matmul with the right numbers.
 *
 * A broken library would take this process down, and a load costs half a second and a gigabyte.
 */
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { runCommand } from '../base/run-command.js';

const resultSchema = z.object({
  tensorflow: z.string(),
  tfjs: z.string(),
  tfjsNode: z.string(),
  usesGpu: z.boolean(),
});

export type CheckResult = z.infer<typeof resultSchema>;

const M = 33;
const K = 70;
const N = 19;

/**
 * Small whole numbers, so that the sums are exact in float32 in any order. The first lines are `restoreRemovedUtil` again,
 * which the child cannot import.
 */
const SCRIPT = `
const util = require('node:util');
util.isArray = Array.isArray;
util.isNullOrUndefined = (value) => value === null || value === undefined;
const tf = require(process.argv[1]);
const whole = (n, step) => Float32Array.from({ length: n }, (_, i) => ((i * step) % 17) - 8);
const a = whole(${M} * ${K}, 7);
const b = whole(${K} * ${N}, 5);
const got = tf.matMul(tf.tensor2d(a, [${M}, ${K}]), tf.tensor2d(b, [${K}, ${N}])).dataSync();
for (let i = 0; i < ${M}; i++) {
  for (let j = 0; j < ${N}; j++) {
    let sum = 0;
    for (let k = 0; k < ${K}; k++) sum += a[i * ${K} + k] * b[k * ${N} + j];
    if (got[i * ${N} + j] !== sum) throw new Error('wrong matmul at ' + i + ',' + j + ': expected ' + sum + ', got ' + got[i * ${N} + j]);
  }
}
const backend = tf.backend();
console.log('CHECK ' + JSON.stringify({ tensorflow: backend.binding.TF_Version, tfjs: tf.version['tfjs-core'], tfjsNode: tf.version['tfjs-node'], usesGpu: backend.isUsingGpuDevice }));
`;

/**
 * Checks the package in a folder (or by a path that `require` understands).
 * @throws UserError saying what went wrong where it does not load or computes wrong numbers.
 */
export async function checkPackage(packagePath: string): Promise<CheckResult> {
  const stdout = await runCommand(process.execPath, ['--eval', SCRIPT, packagePath], {
    env: { TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' },
  });
  const line = /^CHECK (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new UserError(`the check of ${packagePath} printed no result`);
  return resultSchema.parse(JSON.parse(line));
}
