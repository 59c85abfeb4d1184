/**
 * The desk of one attempt: where its agent hands in work and reads the graph.
 *
 * Owns the submission of the attempt and the order of its calls. Does not own who may call (endpoint.ts), what a valid
 * row is (src/output), the graph. Invariants: calls of one session are answered one after the other; nothing is
 * written to the graph here (G1); an answer is text for a model, bounded in length.
 */
import { createHash } from 'node:crypto';
import type { Properties } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { endsToLookUp, owed } from '../output/completeness.ts';
import { owedCounts, readNone } from '../output/counts.ts';
import { narrowedEnds, type PropertiesOf } from '../output/edges.ts';
import { type Publication, publication } from '../output/publication.ts';
import { complete, EMPTY_SUBMISSION, type Submission, stage } from '../output/submission.ts';
import { checkRows, foreignEnds, settleRows, withdraw } from '../output/submit.ts';
import type { TaskContext } from '../output/task-context.ts';
import { readArguments } from '../output/values.ts';
import { type CypherSource, type GraphStore, type NodeKey, nodeId, type SubmissionReview } from '../ports.ts';
import { boundIssues, issueLines } from './answer-text.ts';
import { cypherText, isCypherCall } from './cypher-query.ts';
import { OwnGraph, type Project } from './own-graph.ts';
import { queryText } from './query.ts';
import { type Reading, readText } from './reading.ts';

export const TOOLS = ['submit', 'withdraw', 'read', 'query', 'complete'] as const;
export type Tool = (typeof TOOLS)[number];

/** What the rules say of an instance's own work. */
export interface RuleJudgement {
  /** Blockers and errors: the work is not complete while there is one. */
  readonly issues: readonly Issue[];
  /** Warnings, told to the agent and otherwise left to the reviewer. */
  readonly notes: readonly string[];
}

export interface DeskOptions {
  readonly context: TaskContext;
  readonly graph: GraphStore;
  readonly runId: string;
  /** Judges work that is otherwise complete by the quality rules of its task; default nothing is found. */
  readonly judge?: (work: Publication) => Promise<RuleJudgement>;
  /** Makes the run's graph answer Cypher; without it the query tool walks only. */
  readonly project?: Project;
  /** Databases of the manifest that this agent may query, by name; default none. */
  readonly sources?: ReadonlyMap<string, CypherSource>;
  /** Milliseconds of a clock that only goes forward; default the process's. Bounds a query. */
  readonly elapsedMs?: () => number;
  /** Told of each answered call. */
  readonly onAnswer: (answer: {
    readonly tool: string;
    readonly accepted: number;
    readonly issues: readonly Issue[];
  }) => void;
}

/** Warnings of rules told with a completion. */
const NOTES_SHOWN = 10;
/** Entities named in the reminder of what is still owed. */
const OWED_SHOWN = 5;

export class Desk {
  readonly #options: DeskOptions;
  readonly #own: OwnGraph | undefined;
  #submission: Submission = EMPTY_SUBMISSION;
  /** What the last review found complete: only that is published, whatever a late call may add. */
  #reviewed: Submission | undefined;
  /** The rules' judgement of the submission it was made for. */
  #judged: { readonly submission: Submission; readonly judgement: RuleJudgement } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeskOptions) {
    const { context, graph, runId, project } = options;
    this.#options = options;
    this.#own = project && new OwnGraph(context, graph, runId, project);
  }

  /** Answers one tool call; calls wait for one another. */
  answer(tool: Tool, input: unknown): Promise<string> {
    return this.#inTurn(async () => {
      switch (tool) {
        case 'submit':
          return this.#submit(input);
        case 'withdraw':
          return this.#withdraw(input);
        case 'complete':
          return this.#complete(input);
        case 'read':
        case 'query': {
          const text = await this.#look(tool, input);
          this.#tell(tool, 0, text.issues);
          return text.text;
        }
      }
    });
  }

  /** Ends what the desk keeps open for questions; it takes no more of them. */
  close(): Promise<void> {
    return this.#inTurn(async () => this.#own?.close());
  }

  /** Whether the work is complete, and what is owed if not. */
  review(): Promise<SubmissionReview> {
    return this.#inTurn(async () => {
      const { completed } = this.#submission;
      this.#reviewed = undefined;
      // Complete when it was declared; the graph may have changed since, so it is checked once more.
      const issues = await this.#owed(completed?.none ?? new Map());
      if (completed && issues.length === 0) this.#reviewed = this.#submission;
      if (completed) return { complete: issues.length === 0, issues: boundIssues(issues) };
      const call = {
        path: 'muster_complete',
        message: 'was not called, or was refused; the work counts only when it answers that it is complete',
      };
      return { complete: false, issues: boundIssues([call, ...issues]) };
    });
  }

  /** What a commit writes (T2): exactly what the last review found complete. @throws MusterError BUG without one. */
  publication(): Promise<Publication> {
    return this.#inTurn(async () => {
      const { context } = this.#options;
      if (!this.#reviewed) {
        const { id } = context.instance;
        throw new MusterError('BUG', `expected a review that found ${id} complete before its publication, got none`);
      }
      return this.#publicationOf(this.#reviewed);
    });
  }

  async #publicationOf(submission: Submission): Promise<Publication> {
    const { context } = this.#options;
    return publication(context, submission, {
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      propertiesOf: await this.#propertiesOf(narrowedEnds(context, submission)),
    });
  }

  /** Rules are asked last: they presume what the other checks hold. */
  async #judge(): Promise<RuleJudgement> {
    const { judge } = this.#options;
    if (!judge) return { issues: [], notes: [] };
    // Completing marks the submission, and changes nothing that a rule looks at.
    const { nodes, relationships } = this.#submission;
    const known = this.#judged?.submission;
    if (known?.nodes !== nodes || known.relationships !== relationships) {
      const judgement = await judge(await this.#publicationOf(this.#submission));
      this.#judged = { submission: this.#submission, judgement };
    }
    return this.#judged!.judgement;
  }

  #look(tool: 'read' | 'query', input: unknown): Promise<Reading> {
    const { context, graph, runId, elapsedMs = () => performance.now(), sources = new Map() } = this.#options;
    if (tool === 'query' && isCypherCall(input)) {
      return cypherText({ own: this.#own, byName: sources, scope: { [context.schema.scope]: context.scope } }, input);
    }
    return (tool === 'read' ? readText : queryText)({ context, graph, runId, elapsedMs }, input);
  }

  async #submit(input: unknown): Promise<string> {
    const { context } = this.#options;
    const rows = checkRows(context, input);
    const existing = await this.#existing(foreignEnds(context, rows));
    const settled = settleRows(context, this.#submission, rows, existing);
    this.#submission = settled.submission;
    const issues = boundIssues([...rows.issues, ...settled.issues]);
    this.#tell('submit', settled.accepted, issues);
    const staged = `${this.#submission.nodes.size} entities and ${this.#submission.relationships.size} relationships are staged`;
    return [
      `accepted ${settled.accepted}, refused ${refusedCount([...rows.issues, ...settled.issues])}; ${staged}.`,
      ...(issues.length > 0
        ? ['Refused rows are not staged. Correct them and submit them again:', ...issueLines(issues)]
        : []),
      this.#reminder(),
    ].join('\n');
  }

  #reminder(): string {
    const open = owedCounts(this.#options.context, this.#submission, new Map());
    if (open.length === 0) return 'When everything is in, call muster_complete.';
    const shown = open.slice(0, OWED_SHOWN).map(({ path, message }) => `${path} (${message})`);
    const more = open.length > OWED_SHOWN ? ` and ${open.length - OWED_SHOWN} more` : '';
    return `Before muster_complete: ${shown.join('; ')}${more}.`;
  }

  async #withdraw(input: unknown): Promise<string> {
    const done = withdraw(this.#options.context, this.#submission, input);
    this.#submission = done.submission;
    const issues = boundIssues(done.issues);
    this.#tell('withdraw', done.accepted, issues);
    return [
      `withdrew ${done.accepted}; ${done.submission.nodes.size} entities and ${done.submission.relationships.size} relationships are staged.`,
      ...issueLines(issues),
    ].join('\n');
  }

  async #complete(input: unknown): Promise<string> {
    const faults: Issue[] = [];
    const given = readArguments(input, ['summary', 'none'], faults);
    const none = readNone(this.#options.context, given['none'], faults);
    const issues = boundIssues([...faults, ...(await this.#owed(none))]);
    this.#tell('complete', issues.length === 0 ? 1 : 0, issues);
    if (issues.length > 0) {
      // An earlier completion does not outlive the refusal of a later one.
      this.#submission = stage(this.#submission, [], []);
      return ['Not complete. Still open:', ...issueLines(issues), 'Mend this, then call muster_complete again.'].join(
        '\n',
      );
    }
    const summary = typeof given['summary'] === 'string' ? given['summary'] : '';
    this.#submission = complete(this.#submission, summary, none);
    const { notes } = await this.#judge();
    return [
      `Complete: ${this.#submission.nodes.size} entities and ${this.#submission.relationships.size} relationships. End your turn now.`,
      ...(notes.length > 0
        ? ['A reviewer will be shown:', ...notes.slice(0, NOTES_SHOWN).map((note) => `- ${note}`)]
        : []),
    ].join('\n');
  }

  async #owed(none: ReadonlyMap<string, string>): Promise<readonly Issue[]> {
    const { context } = this.#options;
    const existing = await this.#existing(endsToLookUp(context, this.#submission));
    const propertiesOf = await this.#propertiesOf(narrowedEnds(context, this.#submission));
    const issues = owed(context, this.#submission, existing, none, propertiesOf);
    return issues.length > 0 ? issues : (await this.#judge()).issues;
  }

  /** Of this run: what an earlier run left in the graph is not what this run's tasks found. */
  #existing(keys: readonly NodeKey[]): Promise<ReadonlySet<string>> {
    const { graph, runId } = this.#options;
    return keys.length === 0 ? Promise.resolve(new Set()) : graph.existing(keys, runId);
  }

  /** Reads the far ends whose values decide whether a narrowed link fits. */
  async #propertiesOf(keys: readonly NodeKey[]): Promise<PropertiesOf> {
    const { context, graph, runId } = this.#options;
    const found = new Map<string, Properties>();
    for (const { entity, key } of keys) {
      const id = nodeId({ entity, key });
      const names = context.schema.entities.find(({ name }) => name === entity)?.key ?? [];
      if (found.has(id) || names.length < 2) continue;
      const where = Object.fromEntries(names.slice(1).map((name, i) => [name, key[i + 1]!]));
      const { nodes } = await graph.read({ entity, where, runId, scope: context.scope, limit: 1 });
      if (nodes[0]) found.set(id, nodes[0].properties);
    }
    return (id) => found.get(id);
  }

  #tell(tool: string, accepted: number, issues: readonly Issue[]): void {
    this.#options.onAnswer({ tool, accepted, issues });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch((thrown: unknown) => ensureError(thrown));
    return mine;
  }
}

/** Turns a failure of ours into text that a model can act on. */
export function failureText(thrown: unknown): string {
  const error = ensureError(thrown);
  const code = error instanceof MusterError ? ` (${error.code})` : '';
  return `muster could not answer${code}: ${error.message}. Nothing was changed; call again.`;
}

/** Rows, not issues: one row may have several. */
function refusedCount(issues: readonly Issue[]): number {
  return new Set(issues.map(({ path }) => /^\w+(\[\d+\])?/.exec(path)?.[0] ?? path)).size;
}
