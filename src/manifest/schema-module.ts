import { pathToFileURL } from 'node:url';
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { lintSchema } from '../schema/lint.ts';
import { isMasterSchema, shapeFaults } from '../schema/shape.ts';
import { resolveModule } from './resolve-module.ts';

/** `import(url)`, or what a test puts in its place. */
export type ImportModule = (url: string) => Promise<unknown>;

/**
 * The master schema that a module exports as its default, sound by lint.
 *
 * @throws MusterError SCHEMA_NOT_FOUND when the specifier leads nowhere; SCHEMA_INVALID when the module cannot be
 * loaded, has another form, or contradicts itself.
 */
export async function loadSchemaModule(
  specifier: string,
  folder: string,
  importModule: ImportModule = (url) => import(url),
): Promise<MasterSchema> {
  const file = resolveModule(specifier, folder);
  if (file === undefined) {
    throw new MusterError(
      'SCHEMA_NOT_FOUND',
      `expected a module at "schema": "${specifier}", got none: neither a file or package seen from ${folder} nor one of muster. Write a path that begins with ./ (relative to the manifest), or the export of an installed package (package/export)`,
    );
  }
  const exported = await defaultExport(file, importModule);
  if (exported === undefined) {
    throw new MusterError(
      'SCHEMA_INVALID',
      `expected a master schema as the default export of ${file}, got no default export. Write: export default defineSchema({…})`,
    );
  }
  const faults = shapeFaults(exported);
  if (!isMasterSchema(exported)) throw invalid(file, faults);
  const errors = lintSchema(exported).filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw invalid(
      file,
      errors.map(({ at, message }) => `${at}: ${message}`),
    );
  return exported;
}

async function defaultExport(file: string, importModule: ImportModule): Promise<unknown> {
  try {
    const module = (await importModule(pathToFileURL(file).href)) as { readonly default?: unknown };
    return module.default;
  } catch (thrown) {
    const error = ensureError(thrown);
    throw new MusterError(
      'SCHEMA_INVALID',
      `expected a module that can be loaded, got ${file}: ${cureFor(error, file)}`,
      {
        cause: error,
      },
    );
  }
}

function cureFor(error: Error, file: string): string {
  const code = systemCode(error) ?? '';
  if (/\.[cm]?ts$/.test(file) && /UNKNOWN_FILE_EXTENSION|TYPE_STRIPPING|TYPESCRIPT/.test(code)) {
    return `Node ${process.versions.node} cannot load this TypeScript file. Compile it and name the .js or .mjs file, or use Node 22.18 or newer with types that can be stripped`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return `${error.message}. Install what it imports beside it, such as: npm install zod`;
  }
  return `${error.message}. Correct the module`;
}

function invalid(file: string, problems: readonly string[]): MusterError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new MusterError(
    'SCHEMA_INVALID',
    [`expected a sound master schema, got ${count} in ${file}:`, ...problems.map((problem) => `  ${problem}`)].join(
      '\n',
    ),
  );
}
