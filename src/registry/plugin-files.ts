/**
 * The files and packages behind a plug-in, and one digest of them all.
 *
 * The digest is part of the keys of cells that use the plug-in: when any file that it imports changes, what was computed
 * with the old one is not reused.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { init, parse } from 'es-module-lexer';
import { UserError } from '../base/errors.js';

const MAX_FILES = 2000;
const MAX_BYTES = 64 * 2 ** 20;
const DYNAMIC =
  'A plug-in may import() literal paths only: what it imports is part of the keys of its cells.';

/**
 * sha256 (hex) of every file that `entry` imports by a relative path, and of name, version and content of the packages.
 * Paths count relative to the entry, so that a copy of the folder has the same digest.
 *
 * @throws UserError where an import leads nowhere, a file is not JavaScript or TypeScript, or there is too much of them
 */
export async function pluginDigest(entry: string): Promise<string> {
  await init();
  const files = new Files();
  const waiting = [entry];
  const seen = new Set(waiting);
  const packages = new Map<string, string>();
  for (const path of waiting) {
    const text = files.add(path, relative(dirname(entry), path));
    if (!/\.[cm]?[jt]s$/.test(path)) continue;
    for (const specifier of importsOf(path, text)) {
      if (specifier === 'spark-eval' || isBuiltin(specifier)) continue;
      if (!/^\.\.?\//.test(specifier)) packages.set(...packageOf(path, specifier));
      else {
        const next = resolveRelative(path, specifier);
        if (!seen.has(next)) waiting.push(next);
        seen.add(next);
      }
    }
  }
  for (const [name, folder] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const file of contentOf(folder)) files.add(join(folder, file), `${name}/${file}`);
  }
  return files.digest();
}

/** Files as they are read, bounded. */
class Files {
  private readonly lines: string[] = [];
  private bytes = 0;

  add(path: string, name: string): string {
    const size = statSync(path).size;
    this.bytes += size;
    if (this.lines.length >= MAX_FILES || this.bytes > MAX_BYTES) {
      throw new UserError(`the plug-in imports more than ${MAX_FILES} files or ${MAX_BYTES} bytes`, {
        place: path,
      });
    }
    const content = readFileSync(path);
    this.lines.push(`${name.split(sep).join('/')} ${createHash('sha256').update(content).digest('hex')}`);
    return content.toString('utf8');
  }

  digest(): string {
    const hash = createHash('sha256');
    for (const line of [...this.lines].sort()) hash.update(`${line}\n`);
    return hash.digest('hex');
  }
}

/** What a module imports, dynamically or not; types alone are left out. */
function importsOf(path: string, text: string): string[] {
  try {
    return parse(text)[0].flatMap((found) => {
      if (found.type === 'import-meta' || (found.type !== 'dynamic' && found.typeOnly)) return [];
      if (found.specifier !== undefined && !(found.type === 'dynamic' && found.glob))
        return [found.specifier];
      throw new UserError('import() of a path that is computed', { place: path, hint: DYNAMIC, exitCode: 2 });
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`is not valid: ${error instanceof Error ? error.message : String(error)}`, {
      place: path,
      exitCode: 2,
      cause: error,
    });
  }
}

/** The file of a relative import; `./x.js` may be `./x.ts`, as TypeScript has it. */
function resolveRelative(from: string, specifier: string): string {
  const path = resolve(dirname(from), specifier);
  const found = [path, path.replace(/js$/, 'ts')].find(
    (candidate) => existsSync(candidate) && statSync(candidate).isFile(),
  );
  if (found !== undefined) return found;
  throw new UserError(`imports "${specifier}", and there is no such file`, {
    place: from,
    hint: 'Expected a path with its extension, as Node wants it.',
    exitCode: 2,
  });
}

/** `name@version` and folder of the package that a module imports. */
function packageOf(from: string, specifier: string): [string, string] {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const folders = createRequire(from).resolve.paths(name) ?? [];
  const folder = folders
    .map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'package.json')));
  if (folder === undefined) {
    throw new UserError(`imports the package "${name}", which is not installed`, {
      place: from,
      hint: `Install it beside the plug-in: npm install ${name}.`,
      exitCode: 2,
    });
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string };
  return [`${name}@${version ?? '0'}`, folder];
}

/** The files of a package, without the packages inside it. */
function contentOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(sep).includes('node_modules'));
}
