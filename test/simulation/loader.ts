/**
 * Module hooks of Node: production code that asks for the platform gets the modules that stand in for it. What the
 * simulation itself imports stays the platform's own.
 */
import { BUILT_INS, FILES } from './replaced-modules.ts';
import { BUG, SEEDED_BUGS, seed } from './seeded-bugs.ts';

type Next = (specifier: string, context: object) => Promise<{ readonly url: string }>;

type NextLoad = (
  url: string,
  context: object,
) => Promise<{ readonly format: string; readonly source: string | Uint8Array }>;

const HERE = new URL('./', import.meta.url).href;
const ROOT = new URL('../../', import.meta.url).href;

export async function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: Next,
): Promise<{ readonly url: string; readonly shortCircuit?: true }> {
  const parent = context.parentURL ?? '';
  if (!parent.startsWith(ROOT) || parent.startsWith(HERE) || parent.includes('/node_modules/')) {
    return next(specifier, context);
  }
  const builtIn = BUILT_INS[specifier];
  if (builtIn !== undefined) return standIn(builtIn);
  const resolved = await next(specifier, context);
  const file = resolved.url.startsWith(ROOT) ? FILES[resolved.url.slice(ROOT.length).replace(/\.js$/, '')] : undefined;
  return file === undefined ? resolved : standIn(file);
}

function standIn(name: string): { readonly url: string; readonly shortCircuit: true } {
  return { url: `${HERE}modules/${name}.js`, shortCircuit: true };
}

/** Puts the bug into its file that the process is to have, if any. */
export async function load(
  url: string,
  context: object,
  next: NextLoad,
): Promise<{ readonly format: string; readonly source: string | Uint8Array }> {
  const loaded = await next(url, context);
  const bug = SEEDED_BUGS.find(({ name }) => name === process.env[BUG]);
  if (bug === undefined || url !== `${ROOT}${bug.file}.js`) return loaded;
  return { ...loaded, source: seed(bug, Buffer.from(loaded.source).toString()) };
}
