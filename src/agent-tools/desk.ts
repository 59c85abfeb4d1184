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
import { endsToLookUp, owed, readNone } from '../output/completeness.ts';
import { type Publication, publication } from '../output/publication.ts';
import { complete, EMPTY_SUBMISSION, type Submission } from '../output/submission.ts';
import { checkRows, foreignEnds, settleRows, withdraw } from '../output/submit.ts';
import type { TaskContext } from '../output/task-context.ts';
import { isRecord } from '../output/values.ts';
import { type GraphStore, type NodeKey, nodeId, type SubmissionReview } from '../ports.ts';
import { queryText, readText } from './reading.ts';

export const TOOLS = ['submit', 'withdraw', 'read', 'query', 'complete'] as const;
export type Tool = (typeof TOOLS)[number];

export interface DeskOptions {
  readonly context: TaskContext;
  readonly graph: GraphStore;
  readonly runId: string;
  /** Told of each answered call. */
  readonly onAnswer: (answer: {
    readonly tool: string;
    readonly accepted: number;
    readonly issues: readonly Issue[];
  }) => void;
}

/** Issues printed in one answer; the rest is counted. */
const ISSUES_SHOWN = 50;

export class Desk {
  readonly #options: DeskOptions;
  #submission: Submission = EMPTY_SUBMISSION;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeskOptions) {
    this.#options = options;
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
          const { context, graph, runId } = this.#options;
          const text = await (tool === 'read' ? readText : queryText)({ context, graph, runId }, input);
          this.#tell(tool, 0, text.issues);
          return text.text;
        }
      }
    });
  }

  /** Whether the work is complete, and what is owed if not. */
  review(): Promise<SubmissionReview> {
    return this.#inTurn(async () => {
      const { completed } = this.#submission;
      // Complete when it was declared; the graph may have changed since, so it is checked once more.
      const issues = await this.#owed(completed?.none ?? new Map());
      if (completed) return { complete: issues.length === 0, issues };
      const call = {
        path: 'muster_complete',
        message: 'was not called, or was refused; the work counts only when it answers that it is complete',
      };
      return { complete: false, issues: [call, ...issues] };
    });
  }

  /** What a commit writes. Call after a review that found the work complete. */
  publication(): Promise<Publication> {
    return this.#inTurn(async () => {
      const { context } = this.#options;
      const properties = await this.#propertiesOf(endsToLookUp(context, this.#submission));
      return publication(context, this.#submission, {
        sha256: (text) => createHash('sha256').update(text).digest('hex'),
        propertiesOf: (id) => properties.get(id),
      });
    });
  }

  async #submit(input: unknown): Promise<string> {
    const { context } = this.#options;
    const rows = checkRows(context, input);
    const existing = await this.#existing(foreignEnds(context, rows));
    const settled = settleRows(context, this.#submission, rows, existing);
    this.#submission = settled.submission;
    const issues = [...rows.issues, ...settled.issues];
    this.#tell('submit', settled.accepted, issues);
    const staged = `${this.#submission.nodes.size} entities and ${this.#submission.relationships.size} relationships are staged`;
    return [
      `accepted ${settled.accepted}, refused ${issues.length > 0 ? refusedCount(issues) : 0}; ${staged}.`,
      ...(issues.length > 0
        ? ['Refused rows are not staged. Correct them and submit them again:', ...issueLines(issues)]
        : []),
      ...(issues.length === 0 ? ['When everything is in, call muster_complete.'] : []),
    ].join('\n');
  }

  async #withdraw(input: unknown): Promise<string> {
    const done = withdraw(this.#options.context, this.#submission, input);
    this.#submission = done.submission;
    this.#tell('withdraw', done.accepted, done.issues);
    return [
      `withdrew ${done.accepted}; ${done.submission.nodes.size} entities and ${done.submission.relationships.size} relationships are staged.`,
      ...issueLines(done.issues),
    ].join('\n');
  }

  async #complete(input: unknown): Promise<string> {
    const issues: Issue[] = [];
    const given = isRecord(input) ? input : {};
    const none = readNone(this.#options.context, given['none'], issues);
    issues.push(...(await this.#owed(none)));
    this.#tell('complete', issues.length === 0 ? 1 : 0, issues);
    if (issues.length > 0) {
      return ['Not complete. Still open:', ...issueLines(issues), 'Mend this, then call muster_complete again.'].join(
        '\n',
      );
    }
    const summary = typeof given['summary'] === 'string' ? given['summary'] : '';
    this.#submission = complete(this.#submission, summary, none);
    return `Complete: ${this.#submission.nodes.size} entities and ${this.#submission.relationships.size} relationships. End your turn now.`;
  }

  async #owed(none: ReadonlyMap<string, string>): Promise<readonly Issue[]> {
    const { context } = this.#options;
    const existing = await this.#existing(endsToLookUp(context, this.#submission));
    return owed(context, this.#submission, existing, none);
  }

  #existing(keys: readonly NodeKey[]): Promise<ReadonlySet<string>> {
    return keys.length === 0 ? Promise.resolve(new Set()) : this.#options.graph.existing(keys);
  }

  /** Reads the far ends whose values decide whether a narrowed link fits. */
  async #propertiesOf(keys: readonly NodeKey[]): Promise<ReadonlyMap<string, Properties>> {
    const { context, graph } = this.#options;
    const found = new Map<string, Properties>();
    for (const { entity, key } of keys) {
      const id = nodeId({ entity, key });
      const names = context.schema.entities.find(({ name }) => name === entity)?.key ?? [];
      if (found.has(id) || names.length < 2) continue;
      const where = Object.fromEntries(names.slice(1).map((name, i) => [name, key[i + 1]!]));
      const { nodes } = await graph.read({ entity, where, scope: context.scope, limit: 1 });
      if (nodes[0]) found.set(id, nodes[0].properties);
    }
    return found;
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

function issueLines(issues: readonly Issue[]): string[] {
  const lines = issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => `- ${path}: ${message}`);
  return issues.length > ISSUES_SHOWN ? [...lines, `- and ${issues.length - ISSUES_SHOWN} more`] : lines;
}

/** Rows, not issues: one row may have several. */
function refusedCount(issues: readonly Issue[]): number {
  return new Set(issues.map(({ path }) => /^\w+(\[\d+\])?/.exec(path)?.[0] ?? path)).size;
}
