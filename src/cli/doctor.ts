/** `muster doctor`: everything that can be checked without starting a run. */
import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ManifestSource } from '../../schemas/manifest.ts';
import { ensureError, MusterError } from '../errors.ts';
import { loadManifest } from '../manifest/load.ts';
import { findBinary } from '../opencode/binary.ts';
import { openSources } from '../run/sources.ts';
import { systemClock } from '../run/system-clock.ts';
import { lintSchema } from '../schema/lint.ts';
import { lintManifest } from '../schema/lint-manifest.ts';
import { manifestPath } from './package-root.ts';
import { colorsFor, visible } from './terminal.ts';

interface Check {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly message: string;
}

interface DoctorOptions {
  readonly manifest?: string;
  readonly home: string;
  readonly opencode?: string;
  readonly json?: boolean;
}

/** Prints each finding; exit code 2 for an error of manifest or schema, 3 for one of the machine, 0 otherwise. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const { checks: inputs, sources } = await checkInputs(options);
  const machine = [
    ...(await checkBinary(options.opencode)),
    ...(await checkHome(options.home)),
    ...(await Promise.all(sources.map(checkSource))),
  ];
  const checks = [...inputs, ...machine];
  if (options.json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else {
    const colors = colorsFor(process.stdout, process.env);
    const sign = { ok: colors.green('✓'), warning: colors.yellow('!'), error: colors.red('✗') };
    for (const { what, state, message } of checks)
      process.stdout.write(`${sign[state]} ${visible(what)}: ${visible(message)}\n`);
  }
  const failed = (some: readonly Check[]) => some.some(({ state }) => state === 'error');
  if (failed(inputs)) process.exitCode = 2;
  else if (failed(machine)) process.exitCode = 3;
}

async function checkInputs({
  manifest,
}: DoctorOptions): Promise<{ readonly checks: Check[]; readonly sources: readonly ManifestSource[] }> {
  const path = manifestPath(manifest);
  try {
    const { manifest: read, schema, graph } = await loadManifest(path);
    const findings = [...lintSchema(schema), ...lintManifest(schema, read)];
    const waves = new Set(graph.tasks.map(({ wave }) => wave)).size;
    const checks: Check[] = [
      {
        what: 'manifest',
        state: 'ok',
        message: `${read.name}: ${read.tasks.length} tasks in ${waves} waves (${path})`,
      },
      {
        what: 'schema',
        state: 'ok',
        message: `${schema.name} ${schema.version}: ${schema.entities.length} entities, ${schema.relationships.length} relationships`,
      },
      ...findings.map(({ severity, at, message }): Check => ({ what: at, state: severity, message })),
    ];
    return { checks, sources: read.sources ?? [] };
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof MusterError)) throw error;
    return { checks: [{ what: error.code, state: 'error', message: error.message }], sources: [] };
  }
}

/** Opens the source as a run would, and closes it again. */
async function checkSource(source: ManifestSource): Promise<Check> {
  try {
    const opened = await openSources([source], { env: process.env, clock: systemClock });
    await opened.close();
    const labels = opened.notes.get(source.name)?.labels.length ?? 0;
    return { what: 'source', state: 'ok', message: `${source.name} answers, with ${labels} labels` };
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof MusterError)) throw error;
    return { what: error.code, state: 'error', message: error.message };
  }
}

async function checkBinary(named: string | undefined): Promise<Check[]> {
  try {
    const { path, version, source, notes } = await findBinary({ ...(named !== undefined && { named }) });
    const where = { named: 'as named', PATH: 'from the PATH', package: 'bundled' }[source];
    return [
      { what: 'OpenCode', state: 'ok', message: `${version}, ${where} (${path})` },
      ...notes.map((message): Check => ({ what: 'OpenCode', state: 'warning', message })),
    ];
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof MusterError)) throw error;
    return [{ what: error.code, state: 'error', message: error.message }];
  }
}

/** Looks whether the home, or the folder it would be made in, can be written; makes nothing but the home. */
async function checkHome(home: string): Promise<Check[]> {
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.W_OK);
    return [{ what: 'home', state: 'ok', message: `${resolve(home)} is writable` }];
  } catch (thrown) {
    const { message } = ensureError(thrown);
    return [
      {
        what: 'FOLDER_NOT_WRITABLE',
        state: 'error',
        message: `expected to write to ${resolve(home)} in ${dirname(resolve(home))}: ${message}`,
      },
    ];
  }
}
