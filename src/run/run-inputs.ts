/** What a run is made from once its options were read, and what it goes on from when it is resumed. */
import type { RunEvent } from '../../schemas/run-event.ts';
import type { ConvertedDocument } from '../convert/converted.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { Rehearsal } from '../rehearsal/script.ts';
import type { KnownRun } from '../resume/known-run.ts';
import type { ResumePlan } from '../resume/resume-plan.ts';
import type { SourceDocument } from '../workspace/documents.ts';

export interface Inputs {
  readonly loaded: LoadedManifest;
  readonly documents: readonly SourceDocument[];
  /** Their texts, by path; kinds without text are not among them. */
  readonly texts: ReadonlyMap<string, ConvertedDocument>;
  readonly rehearsal: Rehearsal | undefined;
  readonly project: string;
  readonly model: string;
}

/** What an earlier process of the run left, for one that goes on. */
export interface Resumed {
  readonly events: readonly RunEvent[];
  /** Length of the journal's finished lines. */
  readonly bytes: number;
  readonly known: KnownRun;
  readonly plan: ResumePlan;
  /** What differs from the start of the run. */
  readonly changes: readonly string[];
  /** Whether the workspace has to be made again. */
  readonly prepare: boolean;
  /** Whether what another run wrote over since is written again. */
  readonly force: boolean;
}
