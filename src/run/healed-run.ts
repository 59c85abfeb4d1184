/**
 * A run that goes on by itself when its server was lost: in the same process, as `muster resume` would.
 *
 * Owns the wait between a loss and the next beginning, and whom an interrupt reaches. Does not own whether the run heals
 * (machines/orchestrator.ts, src/policy/healing.ts), or how it is taken up again (resume.ts). Invariants: everything of
 * the lost beginning is closed before the next one opens, so that the two never share a journal, a lock or a graph; an
 * interrupt that comes in between ends the wait, and what it left can be resumed.
 */
import { ensureError, MusterError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type ResumeOptions, resumeRun } from './resume.ts';
import { type Run, type RunEnd, startRun } from './run.ts';
import type { RunOptions } from './run-options.ts';
import { systemClock } from './system-clock.ts';

/** As {@link startRun}; resolves `ended` when the run has ended for good. */
export async function startHealedRun(options: RunOptions): Promise<Run> {
  const { manifest, documents, graph, concurrency, budget, model, rehearsal, env } = options;
  const { kind: _, ...server } = options.server;
  const run = await startRun(options);
  const again: ResumeOptions = {
    ...ears(options),
    run: run.runId,
    manifest,
    documents,
    server,
    ...(graph !== undefined && { graph }),
    ...(concurrency !== undefined && { concurrency }),
    ...(budget && { budget }),
    ...(model !== undefined && { model }),
    ...(rehearsal !== undefined && { rehearsal }),
    ...(env && { env }),
  };
  return healed(run, () => resumeRun(again));
}

/** As {@link resumeRun}; resolves `ended` when the run has ended for good. */
export async function resumeHealedRun(options: ResumeOptions): Promise<Run> {
  const run = await resumeRun(options);
  // What was cut off and what had failed is open already; only what the surroundings broke off is to open again.
  const { untilLine: _, failed: __, ...again } = options;
  return healed(run, () => resumeRun({ ...again, run: run.runId }));
}

/**
 * @param goOn begins again; when that fails, the run ends with the error and can be resumed
 * @param clock default the machine's
 */
export function healed(first: Run, goOn: () => Promise<Run>, clock: Clock = systemClock): Run {
  let current: Run | undefined = first;
  const reasons: string[] = [];
  let endWait = (): void => {};

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      endWait = () => {
        cancel();
        resolve();
      };
    });

  const toTheEnd = async (): Promise<RunEnd> => {
    for (let end = await first.ended; ; ) {
      const { healsAfterMs, view } = end;
      if (healsAfterMs === undefined) return end;
      current = undefined;
      reasons.length = 0;
      await wait(healsAfterMs);
      if (reasons.length > 0) return { outcome: 'cancelled', view };
      try {
        current = await goOn();
      } catch (thrown) {
        const error = ensureError(thrown);
        return { outcome: 'failed', view, error: error instanceof MusterError ? error : bug(error) };
      }
      // Asked for while it began.
      for (const reason of reasons) current.interrupt(reason);
      end = await current.ended;
    }
  };

  return {
    runId: first.runId,
    folder: first.folder,
    interrupt: (reason) => {
      if (current) return current.interrupt(reason);
      reasons.push(reason);
      endWait();
    },
    ended: toTheEnd(),
  };
}

function bug(cause: Error): MusterError {
  return new MusterError('BUG', `the run could not be taken up again: ${cause.message}`, { cause });
}

function ears({ musterVersion, home, onEvent, inspect }: RunOptions) {
  return { musterVersion, home, ...(onEvent && { onEvent }), ...(inspect && { inspect }) };
}
