/**
 * Marks a configuration directory as installed. Without the mark the server begins to install a package into it, and
 * with a tool file present the first use of tools waits for that: 70 to 136 s where no registry answers.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The package that the server wants to see; it compares names only. Our tool file needs none of it. */
const PACKAGE = '@opencode-ai/plugin';

/** Marks each directory, and makes it where absent. Files of the same names are replaced: give it our folders only. */
export async function writeOfflineMarkers(directories: readonly string[], version: string): Promise<void> {
  const dependencies = { [PACKAGE]: version };
  for (const directory of directories) {
    await mkdir(join(directory, 'node_modules'), { recursive: true });
    await writeFile(join(directory, 'package.json'), JSON.stringify({ dependencies }));
    const lock = { lockfileVersion: 3, packages: { '': { dependencies } } };
    await writeFile(join(directory, 'package-lock.json'), JSON.stringify(lock));
  }
}
