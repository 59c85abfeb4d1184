/** What a run is started with. */
import type { InspectionEvent } from 'xstate';
import type { Budget } from '../../schemas/manifest.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import type { Selection } from '../fingerprint/decide.ts';
import type { RunView } from '../report/run-view.ts';

export interface RunOptions {
  readonly musterVersion: string;
  readonly manifest: string;
  readonly documents: string;
  readonly home: string;
  /** Default: as the rehearsal script says. */
  readonly project?: string;
  /** `provider/model`; default: as the manifest says. A rehearsal brings its own. */
  readonly model?: string;
  /** File or URL of the graph; default `graph.db` in the home, or in the run's folder for a rehearsal. */
  readonly graph?: string;
  readonly concurrency?: number;
  /** Where the credentials of the graph and of the manifest's sources are; default the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Wins over the manifest's, field by field. */
  readonly budget?: Budget;
  /** Folder of a rehearsal script: a scripted model answers. */
  readonly rehearsal?: string;
  readonly server:
    | { readonly kind: 'own'; readonly binary?: string; readonly configFile?: string; readonly port?: number }
    | { readonly kind: 'attached'; readonly url: string; readonly password?: string };
  /** Takes over from an earlier run what need not run again; default: everything runs. */
  readonly selective?: {
    /** Id of the earlier run or the beginning of it; default the latest of the same project. */
    readonly against?: string;
    readonly selection: Selection;
  };
  /** Hears each fact in order, with the view after it. */
  readonly onEvent?: (event: RunEvent, view: RunView) => void;
  /** Observer of the actors (see inspector/trace.ts); costs nothing when absent. */
  readonly inspect?: (event: InspectionEvent) => void;
}
