/** Shows a run as it goes, passes interrupts on, and says how it ended. */
import type { RunEvent, RunOutcome } from '../../schemas/run-event.ts';
import { progressLine } from '../report/progress.ts';
import { reportOf } from '../report/report.ts';
import type { RunView } from '../report/run-view.ts';
import type { Run } from '../run/run.ts';
import type { RunOptions } from '../run/run-options.ts';
import { colorsFor, drawLine, drawSummary } from './terminal.ts';

interface ShowOptions {
  readonly inspect?: boolean;
  readonly inspectOpen?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Starts a run, or goes on with one, draws it as it goes, and turns its end into an exit code. */
export async function show(
  options: ShowOptions,
  start: (ears: Pick<RunOptions, 'onEvent' | 'inspect'>) => Promise<Run>,
): Promise<void> {
  const out = process.stdout;
  const colors = colorsFor(out, process.env);
  // Loaded when asked for: the layout engine alone is 1.5 MB.
  const inspector =
    options.inspect || options.inspectOpen
      ? await (await import('../../inspector/server.ts')).startInspector({ now: Date.now })
      : undefined;
  if (inspector) process.stderr.write(`inspect: ${inspector.url}\n`);
  const draw = (event: RunEvent, view: RunView): void => {
    if (options.json) out.write(`${JSON.stringify(event)}\n`);
    else if (!options.quiet) {
      const line = progressLine(view, event);
      if (line) out.write(`${drawLine(line, colors)}\n`);
    }
  };
  const signals = new AbortController();
  try {
    const started = await start({ onEvent: draw, ...(inspector && { inspect: inspector.inspect }) });
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
      if (outcome === 'cancelled' || outcome === 'paused' || error)
        out.write(`Go on with it: muster resume ${started.runId}\n`);
    }
    if (error) throw error;
    process.exitCode = exitCode(outcome, signalled > 0);
    if (inspector && options.inspectOpen) await untilInterrupt(inspector.url);
  } finally {
    signals.abort();
    await inspector?.close();
  }
}

/** 4: paused, nothing is lost and nothing failed. */
function exitCode(outcome: RunOutcome, wasSignalled: boolean): number {
  if (outcome === 'completed') return 0;
  if (outcome === 'paused') return 4;
  return outcome === 'cancelled' && wasSignalled ? 130 : 1;
}

/** Keeps the page of a finished run until Ctrl-C. */
async function untilInterrupt(url: string): Promise<void> {
  process.stderr.write(`The page stays at ${url}; Ctrl-C ends it.\n`);
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
  clearInterval(alive);
}
