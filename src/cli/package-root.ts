/** Where muster's own files are: manifest, prompts and examples are not compiled and stand beside `dist`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with muster's package.json, from the compiled files as well as from source. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

/** The manifest named on the command line, else ./manifest.json, else the one that comes with muster. */
export function manifestPath(named: string | undefined): string {
  if (named !== undefined) return named;
  return existsSync('manifest.json') ? 'manifest.json' : join(packageRoot(), 'manifest.json');
}
