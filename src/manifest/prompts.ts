import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Manifest } from '../../schemas/manifest.ts';
import { ensureError, systemCode } from '../errors.ts';

export interface Prompts {
  /** Task id → text of its prompt file. */
  readonly texts: Readonly<Record<string, string>>;
  /** One line for each prompt that cannot be used. */
  readonly problems: readonly string[];
}

/** Reads the prompt of each task; they stay inside the manifest's folder, links followed. */
export async function readPrompts({ tasks }: Manifest, folder: string): Promise<Prompts> {
  const texts: Record<string, string> = {};
  const problems: string[] = [];
  for (const [i, { id, prompt }] of tasks.entries()) {
    const answer = await readPrompt(prompt, folder);
    if ('text' in answer) texts[id] = answer.text;
    else problems.push(`tasks[${i}] (${id}).prompt: ${answer.problem}`);
  }
  return { texts, problems };
}

async function readPrompt(prompt: string, folder: string): Promise<{ text: string } | { problem: string }> {
  const path = resolve(folder, prompt);
  const outside = `expected a file inside ${folder}, got "${prompt}", which leads out of it. Move it there`;
  if (isAbsolute(prompt) || isOutside(path, folder)) return { problem: outside };
  try {
    if (isOutside(await realpath(path), await realpath(folder))) return { problem: outside };
    const text = await readFile(path, 'utf8');
    if (text.trim() === '') {
      return { problem: `expected the goal of the task in Markdown, got an empty file ${path}. Write the prompt` };
    }
    return { text };
  } catch (thrown) {
    const error = ensureError(thrown);
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT')
      return { problem: `expected a file, got none at ${path}. Write the prompt, or correct the path` };
    if (code === 'EISDIR') return { problem: `expected a file, got the folder ${path}. Name the file` };
    return { problem: `expected to read ${path}, got ${error.message}` };
  }
}

function isOutside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}
