/**
 * The steps that build tfjs-node over the TensorFlow library of a current Python wheel.
 *
 * The package's own C++ source is compiled against the library inside the wheel, whose C interface has stayed stable.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../base/errors.js';
import { NATIVE_PACKAGES, type NativeKind, packageFolder } from './folder.js';
import { commandWorks, runCommand } from '../../base/run-command.js';

export const TFJS_NODE_VERSION = '4.22.0';
export const TENSORFLOW_VERSION = '2.21.0';

/**
 * Any wheel of this version holds the same C library, so one Python tag is asked for whatever Python runs pip.
 * The CUDA wheels carry older platform tags.
 */
const WHEEL_TAGS = ['--implementation', 'cp', '--python-version', '3.11', '--only-binary=:all:'];
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  x64: ['manylinux_2_27_x86_64', 'manylinux2014_x86_64', 'manylinux_2_17_x86_64'],
  arm64: ['manylinux_2_27_aarch64'],
};

/**
 * Members of the TensorFlow wheel that the binding needs, and of the CUDA wheels that TensorFlow opens: it looks
 * for them in `../nvidia/NAME/lib`, seen from its own folder.
 */
const MEMBERS = [
  String.raw`tensorflow/(libtensorflow_(cc|framework)\.so\.2)`,
  String.raw`tensorflow/(include/tensorflow/c/.+\.h)`,
  String.raw`tensorflow/(include/(tensorflow/core|tsl)/platform/ctstring.*\.h)`,
  String.raw`tensorflow/(include/xla/tsl/c/.+\.h)`,
  String.raw`(nvidia/[^/]+/lib/[^/]+\.so[^/]*)`,
];

/** Writes the wanted members below a target; libraries go to its `lib`. No member may leave the target. */
const UNPACK = String.raw`
import os, re, shutil, sys, zipfile
wheel, target, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        match = next((m for m in (re.fullmatch(p, member.filename) for p in patterns) if m), None)
        if match is None or '..' in member.filename.split('/'):
            continue
        name = match.group(1)
        path = os.path.join(target, 'lib' if name.startswith('libtensorflow') else '', name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, 'wb') as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
`;

/** @throws UserError naming every tool that is missing. */
export async function checkTools(): Promise<void> {
  if (process.platform !== 'linux' || PLATFORMS[process.arch] === undefined) {
    throw new UserError(
      `expected Linux on x64 or arm64 to build TensorFlow for, found ${process.platform} on ${process.arch}`,
      { hint: 'npm install @tensorflow/tfjs-node may work there; --engine wasm always does' },
    );
  }
  const compiler = process.env['CXX'] ?? 'g++';
  const tools: readonly (readonly [string, string, readonly string[]])[] = [
    ['npm', 'npm', ['--version']],
    ['python3', 'python3', ['--version']],
    ['pip (python3 -m pip)', 'python3', ['-m', 'pip', '--version']],
    [compiler, compiler, ['--version']],
    ['make', 'make', ['--version']],
  ];
  const works = await Promise.all(tools.map(([, command, args]) => commandWorks(command, args)));
  const missing = tools.filter((_, i) => !works[i]).map(([name]) => name);
  if (missing.length > 0) {
    throw new UserError(`not found, but needed to build the engine: ${missing.join(', ')}`, {
      hint: 'on Debian or Ubuntu: apt-get install g++ make python3 python3-pip',
    });
  }
}

/** Installs the npm package without its own download of an old TensorFlow. */
export async function installPackage(folder: string, kind: NativeKind): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const spec = `${NATIVE_PACKAGES[kind]}@${TFJS_NODE_VERSION}`;
  await runCommand('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', spec], { cwd: folder });
}

/** What pip is asked for: the processor-only wheel where there is one. */
function requirement(kind: NativeKind): string {
  if (kind === 'gpu') return `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`;
  return `${process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow'}==${TENSORFLOW_VERSION}`;
}

export interface Wheel {
  readonly file: string;
  readonly sha256: string;
}

/**
 * Downloads the wheel (for a GPU: with its CUDA libraries) and unpacks what is needed into the package's
 * `deps` folder; the downloads are deleted.
 */
export async function unpackTensorFlow(folder: string, kind: NativeKind): Promise<Wheel> {
  const downloads = join(folder, 'downloads');
  const platforms = PLATFORMS[process.arch]!.flatMap((platform) => ['--platform', platform]);
  const dependencies = kind === 'gpu' ? [] : ['--no-deps'];
  await runCommand(
    'python3',
    [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', ...dependencies],
      ...[...WHEEL_TAGS, ...platforms, '--dest', downloads, requirement(kind)],
    ],
    { hint: `pip must reach a package index that has ${requirement(kind)}` },
  );
  const wheels = (await readdir(downloads)).filter((name) => /^(tensorflow|nvidia)[-_].*\.whl$/.test(name));
  const file = wheels.find((name) => /^tensorflow(_cpu)?-/.test(name));
  if (file === undefined) throw new UserError(`pip downloaded no TensorFlow wheel into ${downloads}`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(downloads, file)), hash);

  const deps = join(packageFolder(folder, kind), 'deps');
  for (const wheel of wheels) {
    await runCommand('python3', ['-c', UNPACK, join(downloads, wheel), deps, ...MEMBERS]);
  }
  await rm(downloads, { recursive: true });
  const lib = join(deps, 'lib');
  await mkdir(lib, { recursive: true });
  await symlink('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
  return { file, sha256: hash.digest('hex') };
}

/** Compiles the binding. Node's own headers are used where they lie beside it, else node-gyp finds them. */
export async function buildBinding(folder: string, kind: NativeKind): Promise<void> {
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const cwd = packageFolder(folder, kind);
  const args = ['exec', '--offline', '--', 'node-pre-gyp', 'install', '--build-from-source', ...headers];
  await runCommand('npm', args, {
    cwd,
    hint: 'the C++ binding of tfjs-node did not compile; g++ 9 or newer and the headers of this Node are needed',
  });
  await rm(join(cwd, 'build'), { recursive: true, force: true });
}
