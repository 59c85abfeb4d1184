/** `muster resume`: goes on with a run; and the hint that there is one to go on with. */
import { listRuns } from '../journal/run-folder.ts';
import { resumeHealedRun } from '../run/healed-run.ts';
import type { RunOptions } from '../run/run-options.ts';
import { packageVersion } from './package-root.ts';
import { show } from './show-run.ts';
import { visible } from './terminal.ts';

interface ResumeCommand {
  readonly home: string;
  readonly force?: boolean;
  readonly failed?: boolean;
  readonly untilLine?: number;
  readonly manifest?: string;
  readonly documents?: string;
  readonly script?: string;
  readonly graph?: string;
  readonly opencode?: string;
  readonly port?: number;
  readonly server?: string;
  readonly password?: string;
  readonly concurrency?: number;
  readonly budget?: number;
  readonly inspect?: boolean;
  readonly inspectOpen?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function resume(run: string | undefined, options: ResumeCommand): Promise<void> {
  const { opencode, port, server, password, script, home, force, failed, untilLine } = options;
  const { manifest, documents, graph, concurrency } = options;
  await show(options, (ears) =>
    resumeHealedRun({
      musterVersion: packageVersion(),
      home,
      ...ears,
      ...(run !== undefined && { run }),
      ...(force !== undefined && { force }),
      ...(failed !== undefined && { failed }),
      ...(untilLine !== undefined && { untilLine }),
      ...(manifest !== undefined && { manifest }),
      ...(documents !== undefined && { documents }),
      ...(graph !== undefined && { graph }),
      ...(concurrency !== undefined && { concurrency }),
      ...(options.budget !== undefined && { budget: { cost: options.budget } }),
      ...(script !== undefined && { rehearsal: script }),
      server: {
        ...(opencode !== undefined && { binary: opencode }),
        ...(port !== undefined && { port }),
        ...(server !== undefined && { url: server }),
        ...(password !== undefined && { password }),
      },
    }),
  );
}

/** Says on standard error when a run of the same project was broken off; a new run is started all the same. */
export async function offerResume({ home, project }: Pick<RunOptions, 'home' | 'project'>): Promise<void> {
  const unfinished = (await listRuns(home)).find(
    (run) =>
      (run.state === 'open' || run.outcome === 'cancelled' || run.outcome === 'paused') &&
      (project === undefined || run.projectId === project),
  );
  if (!unfinished) return;
  const { runId, projectId, manifest } = unfinished;
  process.stderr.write(
    `An earlier run of ${visible(projectId ?? '')} (${visible(manifest ?? '')}) did not end: "muster resume ${visible(runId)}" goes on with it. This is a new run.\n`,
  );
}
