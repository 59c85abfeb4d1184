/** The inline configuration of our own server: what the caller brings, under what a run cannot do without. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { ensureError, MusterError } from '../errors.ts';
import { isJsonObject, type JsonObject, mergeDeep } from './json-object.ts';

/**
 * Wins over everything: no updates, no sharing, no snapshots (they serialise all sessions through git), no language
 * servers or formatters, and no question to a person who is not there.
 */
export const REQUIRED_CONFIG: JsonObject = {
  $schema: 'https://opencode.ai/config.json',
  autoupdate: false,
  share: 'disabled',
  snapshot: false,
  lsp: false,
  formatter: false,
  permission: { question: 'deny' },
};

/** Lays the layers over one another, the last wins, and {@link REQUIRED_CONFIG} over all. */
export function inlineConfig(layers: readonly JsonObject[]): JsonObject {
  return [...layers, REQUIRED_CONFIG].reduce(mergeDeep, {});
}

/**
 * Reads the file of `--opencode-config`.
 *
 * @throws MusterError OPENCODE_CONFIG_INVALID when it is missing or no JSON object
 */
export async function readConfigFile(path: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    const cause = ensureError(thrown);
    const message = `expected an OpenCode configuration (JSON) at ${path} (--opencode-config), got: ${cause.message}; correct the path`;
    throw new MusterError('OPENCODE_CONFIG_INVALID', message, { cause });
  }
  return parseConfig(text, path);
}

/**
 * The configuration in `text`. A relative `{file:…}` reference is made absolute against the folder of `path`, because
 * the server resolves references of inline configuration against the workspace.
 *
 * @throws MusterError OPENCODE_CONFIG_INVALID when it is no JSON object; the message never quotes the text
 */
export function parseConfig(text: string, path: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (thrown) {
    // The parser's message quotes the text, which may hold a key: neither it nor the cause is passed on.
    ensureError(thrown);
    throw invalid(path, 'text that is not JSON (comments and trailing commas are not allowed)');
  }
  if (!isJsonObject(value)) throw invalid(path, Array.isArray(value) ? 'a list' : 'a single value');
  return absoluteReferences(value, dirname(resolve(path))) as JsonObject;
}

function invalid(path: string, got: string): MusterError {
  return new MusterError(
    'OPENCODE_CONFIG_INVALID',
    `expected a JSON object with OpenCode's configuration in ${path}, got ${got}; correct the file`,
  );
}

function absoluteReferences(value: unknown, folder: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{file:([^}]+)\}/g, (whole, file: string) =>
      isAbsolute(file) || file.startsWith('~/') ? whole : `{file:${resolve(folder, file)}}`,
    );
  }
  if (Array.isArray(value)) return value.map((item) => absoluteReferences(item, folder));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, absoluteReferences(item, folder)]));
}
