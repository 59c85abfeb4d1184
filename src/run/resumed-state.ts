/** What a run that goes on brings into the machines and into its journal. */
import type { OrchestratorInput } from '../../machines/orchestrator-context.ts';
import type { RunFact } from '../../schemas/run-event.ts';
import type { GraphStore } from '../ports.ts';
import { wasCutOff } from '../resume/known-run.ts';
import type { ResumePlan } from '../resume/resume-plan.ts';
import type { Attempts } from './attempts.ts';
import type { Resumed } from './run-inputs.ts';
import type { RunOptions } from './run-options.ts';

/** Nodes of one reading. */
const PAGE = 1000;

/** The line that says so, then what had happened and was not written any more. */
export function resumedFacts({ musterVersion }: RunOptions, { known, plan, changes }: Resumed): readonly RunFact[] {
  return [
    { type: 'run.resumed', musterVersion, resume: known.resumes + 1, reopened: plan.reopened, changes },
    ...plan.owed,
  ];
}

/** For the orchestrator: which instances are taken up, and how many of their attempts do not count. */
export function orchestratorResume(
  plan: ResumePlan | undefined,
  all: boolean,
): NonNullable<OrchestratorInput['resumed']> {
  const open: ResumePlan['open'] = plan?.open ?? new Map();
  return {
    items: plan?.items ?? {},
    all,
    instances: Object.fromEntries(
      [...open].map(([id, { attempt, spared }]) => [
        id,
        { attempt: attempt?.attempt ?? 0, spared: spared + (wasCutOff(attempt) ? 1 : 0) },
      ]),
    ),
  };
}

/** Reads the nodes that fan-outs are over and that this run committed before this process began. */
export async function knowItems(
  attempts: Attempts,
  graph: GraphStore,
  runId: string,
  scope: string,
  { plan }: ResumePlan,
): Promise<void> {
  const entities = new Set(Object.values(plan.tasks).flatMap(({ fanOut }) => (fanOut ? [fanOut.over] : [])));
  for (const entity of entities) {
    for (let offset = 0; ; offset += PAGE) {
      const { nodes, total } = await graph.read({ entity, runId, scope, limit: PAGE, offset });
      attempts.knowItems(nodes);
      if (offset + nodes.length >= total || nodes.length === 0) break;
    }
  }
}
