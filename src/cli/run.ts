/** `muster run` and `muster rehearse`: starts a run, shows it, and says how it ended. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../schemas/run-event.ts';
import { MusterError } from '../errors.ts';
import { progressLine } from '../report/progress.ts';
import { reportOf } from '../report/report.ts';
import type { RunView } from '../report/run-view.ts';
import { startRun } from '../run/run.ts';
import type { RunOptions } from '../run/run-options.ts';
import { manifestPath, packageRoot, packageVersion } from './package-root.ts';
import { colorsFor, drawLine, drawSummary } from './terminal.ts';

interface SharedOptions {
  readonly manifest?: string;
  readonly home: string;
  readonly graph?: string;
  readonly opencode?: string;
  readonly port?: number;
  readonly concurrency?: number;
  readonly inspect?: boolean;
  readonly inspectOpen?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
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
): Pick<RunOptions, 'musterVersion' | 'manifest' | 'home' | 'graph' | 'concurrency'> {
  return {
    musterVersion: packageVersion(),
    manifest: manifestPath(options.manifest),
    home: options.home,
    ...(options.graph !== undefined && { graph: options.graph }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
  };
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
  const out = process.stdout;
  const colors = colorsFor(out, process.env);
  // Loaded when asked for: the layout engine alone is 1.5 MB.
  const inspector =
    options.inspect || options.inspectOpen
      ? await (await import('../../inspector/server.ts')).startInspector({ now: Date.now })
      : undefined;
  if (inspector) process.stderr.write(`inspect: ${inspector.url}\n`);
  const show = (event: RunEvent, view: RunView): void => {
    if (options.json) out.write(`${JSON.stringify(event)}\n`);
    else if (!options.quiet) {
      const line = progressLine(view, event);
      if (line) out.write(`${drawLine(line, colors)}\n`);
    }
  };
  const signals = new AbortController();
  try {
    const started = await startRun({
      ...runOptions,
      onEvent: show,
      ...(inspector && { inspect: inspector.inspect }),
    });
    let signalled = 0;
    const interrupt = (signal: NodeJS.Signals) => {
      signalled++;
      started.interrupt(signal === 'SIGINT' ? 'Ctrl-C' : signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, interrupt);
      signals.signal.addEventListener('abort', () => process.off(signal, interrupt));
    }
    const { outcome, view, error } = await started.ended;
    signals.abort();
    if (!options.json) {
      out.write(`${drawSummary(reportOf(view), colors)}\n`);
      out.write(`Report: ${started.folder.reportMarkdown}\n`);
    }
    if (error) throw error;
    process.exitCode = outcome === 'completed' ? 0 : signalled > 0 && outcome === 'cancelled' ? 130 : 1;
    if (inspector && options.inspectOpen) await untilInterrupt(inspector.url);
  } finally {
    signals.abort();
    await inspector?.close();
  }
}

/** Keeps the page of a finished run until Ctrl-C. */
async function untilInterrupt(url: string): Promise<void> {
  process.stderr.write(`The page stays at ${url}; Ctrl-C ends it.\n`);
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
  clearInterval(alive);
}
