/** `muster run` and `muster rehearse`: starts a run from its options. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MusterError } from '../errors.ts';
import type { Selection } from '../fingerprint/decide.ts';
import { startHealedRun } from '../run/healed-run.ts';
import type { RunOptions } from '../run/run-options.ts';
import { manifestPath, packageRoot, packageVersion } from './package-root.ts';
import { offerResume } from './resume.ts';
import { show } from './show-run.ts';

interface SharedOptions {
  readonly manifest?: string;
  readonly home: string;
  readonly graph?: string;
  readonly opencode?: string;
  readonly port?: number;
  readonly concurrency?: number;
  readonly budget?: number;
  readonly inspect?: boolean;
  readonly inspectOpen?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly changed?: boolean;
  readonly only?: readonly string[];
  readonly from?: readonly string[];
  readonly failed?: boolean;
  readonly force?: boolean;
  readonly against?: string;
}

interface RealOptions extends SharedOptions {
  readonly documents: string;
  readonly project: string;
  readonly model?: string;
  readonly opencodeConfig?: string;
  readonly server?: string;
  readonly password?: string;
}

interface RehearsalOptions extends SharedOptions {
  readonly documents?: string;
  readonly script?: string;
  readonly project?: string;
}

export async function run(options: RealOptions): Promise<void> {
  if (options.server !== undefined && (options.opencode ?? options.opencodeConfig ?? options.port) !== undefined) {
    throw new MusterError(
      'USAGE',
      'expected either --server, or --opencode, --opencode-config and --port: a server that runs already has its own binary, configuration and port',
    );
  }
  await perform(options, {
    ...sharedOf(options),
    documents: options.documents,
    project: options.project,
    ...(options.model !== undefined && { model: options.model }),
    server:
      options.server === undefined
        ? ownServer(options)
        : {
            kind: 'attached',
            url: options.server,
            ...(options.password !== undefined && { password: options.password }),
          },
  });
}

export async function rehearse(example: string | undefined, options: RehearsalOptions): Promise<void> {
  const folder = example ?? join(packageRoot(), 'examples', 'road-upgrade');
  const script = options.script ?? join(folder, 'rehearsal');
  const own = join(folder, 'manifest.json');
  if (!existsSync(script)) {
    throw new MusterError(
      'REHEARSAL_INVALID',
      `expected a rehearsal script in ${script}, there is none; name an example folder, or the script with --script`,
    );
  }
  const manifest = options.manifest ?? (existsSync(own) ? own : undefined);
  await perform(options, {
    ...sharedOf({ ...options, ...(manifest !== undefined && { manifest }) }),
    documents: options.documents ?? join(folder, 'documents'),
    rehearsal: script,
    ...(options.project !== undefined && { project: options.project }),
    server: ownServer(options),
  });
}

function sharedOf(
  options: SharedOptions,
): Pick<RunOptions, 'musterVersion' | 'manifest' | 'home' | 'graph' | 'concurrency' | 'budget' | 'selective'> {
  const selective = selectiveOf(options);
  return {
    ...(selective && { selective }),
    musterVersion: packageVersion(),
    manifest: manifestPath(options.manifest),
    home: options.home,
    ...(options.graph !== undefined && { graph: options.graph }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.budget !== undefined && { budget: { cost: options.budget } }),
  };
}

/** Which parts to run, when not all of them. @throws MusterError USAGE when two ways are named */
function selectiveOf({ changed, only, from, failed, force, against }: SharedOptions): RunOptions['selective'] {
  const asked: Selection[] = [
    ...(changed ? [{ kind: 'changed' as const }] : []),
    ...(only ? [{ kind: 'only' as const, ids: only }] : []),
    ...(from ? [{ kind: 'from' as const, ids: from }] : []),
    ...(failed ? [{ kind: 'failed' as const }] : []),
    ...(force ? [{ kind: 'force' as const }] : []),
  ];
  if (asked.length > 1) {
    const named = asked.map(({ kind }) => `--${kind}`).join(' and ');
    throw new MusterError('USAGE', `expected one of --changed, --only, --from, --failed, --force; got ${named}`);
  }
  const selection = asked[0] ?? (against === undefined ? undefined : { kind: 'changed' as const });
  return selection && { selection, ...(against !== undefined && { against }) };
}

function ownServer(options: SharedOptions & { readonly opencodeConfig?: string }): RunOptions['server'] {
  return {
    kind: 'own',
    ...(options.opencode !== undefined && { binary: options.opencode }),
    ...(options.opencodeConfig !== undefined && { configFile: options.opencodeConfig }),
    ...(options.port !== undefined && { port: options.port }),
  };
}

async function perform(options: SharedOptions, runOptions: RunOptions): Promise<void> {
  await offerResume(runOptions);
  await show(options, (ears) => startHealedRun({ ...runOptions, ...ears }));
}
