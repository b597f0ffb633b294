/**
 * `spark-eval setup native|gpu`: builds a TensorFlow engine into the user's cache folder.
 *
 * A build appears only when it is finished: it is made in a staging folder, and gets its name after a product gave the
 * right numbers.
 */
import { writeFile } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { removeAbandoned, replaceFolder } from '../../base/staging.js';
import { type CheckResult, checkPackage } from '../check.js';
import {
  markerFile,
  nativeFolder,
  type NativeKind,
  type NativeMarker,
  NATIVE_PACKAGES,
  packageFolder,
  readMarker,
} from './folder.js';
import { hasNvidiaDriver } from './nvidia.js';
import {
  buildBinding,
  checkTools,
  installPackage,
  TENSORFLOW_VERSION,
  TFJS_NODE_VERSION,
  unpackTensorFlow,
  type Wheel,
} from './setup-steps.js';

export interface SetupOptions {
  /** Build over the CUDA wheel. Needs an NVIDIA driver; not run by us. */
  readonly gpu: boolean;
  /** Rebuild even if a working build is there. Default false. */
  readonly force?: boolean;
  /** Gets one line per step. */
  readonly log: (line: string) => void;
}

/**
 * Builds the engine, or checks the one that is there. Returns its folder.
 * @throws UserError where a tool is missing, a step fails or the result computes wrong numbers.
 */
export async function setupNative(options: SetupOptions): Promise<string> {
  const { log } = options;
  const kind: NativeKind = options.gpu ? 'gpu' : 'native';
  const folder = nativeFolder(kind);
  await removeAbandoned(folder);
  const marker = readMarker(folder);
  if (marker !== undefined && options.force !== true) {
    try {
      const { tensorflow } = await checkBuild(folder, kind);
      log(`TensorFlow ${tensorflow} is already there and works: ${folder}`);
      return folder;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log(`the build in ${folder} does not work and is built again: ${error.message}`);
    }
  }
  if (kind === 'gpu') {
    log('note: the steps below are those of `setup native`; on a GPU they have not been run by us');
    if (!hasNvidiaDriver()) {
      throw new UserError('expected an NVIDIA driver, found none on this machine', {
        hint: 'without a GPU: spark-eval setup native',
      });
    }
  }
  await checkTools();
  await replaceFolder(folder, (staging) => build(staging, kind, log));
  log(`done: ${folder}`);
  return folder;
}

async function build(staging: string, kind: NativeKind, log: (line: string) => void): Promise<void> {
  const download = kind === 'gpu' ? 'about 3 GB' : 'about 270 MB';
  log(`1/4 installing ${NATIVE_PACKAGES[kind]} ${TFJS_NODE_VERSION} (without its own TensorFlow)`);
  await installPackage(staging, kind);
  log(`2/4 downloading TensorFlow ${TENSORFLOW_VERSION} with pip (${download}) and unpacking its library`);
  const wheel = await unpackTensorFlow(staging, kind);
  log('3/4 compiling the binding');
  await buildBinding(staging, kind);
  log('4/4 checking a matmul');
  const result = await checkBuild(staging, kind);
  await writeFile(markerFile(staging), `${JSON.stringify(markerOf(kind, wheel, result), null, 2)}\n`);
}

function markerOf(kind: NativeKind, wheel: Wheel, result: CheckResult): NativeMarker {
  return {
    format: 1,
    package: NATIVE_PACKAGES[kind],
    tensorflow: result.tensorflow,
    tfjsNode: TFJS_NODE_VERSION,
    wheel: wheel.file,
    wheelSha256: wheel.sha256,
    node: `${process.version} (ABI ${process.versions.modules})`,
    builtAt: new Date().toISOString(),
  };
}

/** The child-process check; a GPU build must also have found its GPU. */
async function checkBuild(folder: string, kind: NativeKind): Promise<CheckResult> {
  const result = await checkPackage(packageFolder(folder, kind));
  if (kind === 'gpu' && !result.usesGpu) {
    throw new UserError('TensorFlow loads and computes, but found no CUDA device', {
      hint: 'nvidia-smi must list one; the driver must support CUDA 12',
    });
  }
  return result;
}
