/** Reads a script folder; every fault is a REHEARSAL_INVALID that names file, path and cure. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { z } from 'zod';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import {
  type InstanceScript,
  instanceFileName,
  instanceScriptSchema,
  REHEARSAL_DEFAULTS,
  type Rehearsal,
  type RehearsalFile,
  rehearsalSchema,
} from './script.ts';

const HEAD = 'rehearsal.json';
/** Longest chain of `extends`; a longer one is a circle or a mistake. */
const MAX_CHAIN = 8;

/**
 * Loads the script in `folder`, with the scripts that it extends.
 *
 * @throws MusterError REHEARSAL_INVALID when a file is missing, is not JSON, or does not fit the format
 */
export async function loadRehearsal(folder: string): Promise<Rehearsal> {
  const chain = await loadChain(resolve(folder));
  const own = chain[0]!;
  let settings: Settings = REHEARSAL_DEFAULTS;
  const instances = new Map<string, InstanceScript>();
  // From the script extended last to the folder's own, so that the nearer one wins.
  for (const { head, scripts } of [...chain].reverse()) {
    settings = {
      project: head.project ?? settings.project,
      model: head.model ?? settings.model,
      pace: head.pace ?? settings.pace,
      tokensPerCall: head.tokensPerCall ?? settings.tokensPerCall,
      pricePerMillion: head.pricePerMillion ?? settings.pricePerMillion,
    };
    for (const script of scripts) instances.set(script.instance, script);
  }
  if (instances.size === 0) {
    throw invalid(join(folder, HEAD), 'expected at least one instance file beside it, for example wbs-extraction.json');
  }
  return { ...settings, name: own.head.name, description: own.head.description, instances };
}

type Settings = Pick<Rehearsal, keyof typeof REHEARSAL_DEFAULTS>;

interface Layer {
  readonly head: RehearsalFile;
  readonly scripts: readonly InstanceScript[];
}

async function loadChain(folder: string): Promise<readonly Layer[]> {
  const chain: Layer[] = [];
  const visited = new Set<string>();
  let next: string | undefined = folder;
  while (next !== undefined) {
    if (visited.has(next) || visited.size >= MAX_CHAIN) {
      throw invalid(join(folder, HEAD), `"extends" leads back to ${next}, or over more than ${MAX_CHAIN} folders`);
    }
    visited.add(next);
    const layer = await loadLayer(next);
    chain.push(layer);
    next = layer.head.extends === undefined ? undefined : resolve(next, layer.head.extends);
  }
  return chain;
}

async function loadLayer(folder: string): Promise<Layer> {
  const headFile = join(folder, HEAD);
  const head = await readValue(headFile, rehearsalSchema);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && name !== HEAD).sort();
  const scripts = await Promise.all(names.map((name) => loadInstance(join(folder, name))));
  return { head, scripts };
}

async function loadInstance(file: string): Promise<InstanceScript> {
  const script = await readValue(file, instanceScriptSchema);
  const expected = `${instanceFileName(script.instance)}.json`;
  if (basename(file) !== expected) {
    throw invalid(file, `instance "${script.instance}" belongs in ${expected}; rename the file or correct "instance"`);
  }
  return script;
}

async function readValue<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const value = parseJson(file, await readText(file));
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.slice(0, 10).map((issue) => `${pathText(issue.path)}: ${issue.message}`);
  const more = result.error.issues.length > 10 ? `\n  … and ${result.error.issues.length - 10} more` : '';
  throw invalid(file, `correct these places:\n  ${lines.join('\n  ')}${more}`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const cause = ensureError(thrown);
    const why = systemCode(thrown) === 'ENOENT' ? 'the file does not exist' : cause.message;
    throw invalid(file, `expected a readable file of a rehearsal script, but ${why}; check the folder's path`, cause);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const cause = ensureError(thrown);
    throw invalid(file, `expected JSON, got a syntax error: ${cause.message}`, cause);
  }
}

/** `turns[0][2].calls[0].tool`; `(the file)` for the value as a whole. */
function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? '(the file)' : text.replace(/^\./, '');
}

function invalid(file: string, message: string, cause?: Error): MusterError {
  return new MusterError('REHEARSAL_INVALID', `${file}: ${message}`, cause ? { cause } : {});
}
