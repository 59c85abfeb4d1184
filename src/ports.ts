/**
 * The interfaces through which the pure core and the machines reach the outside. Each is as narrow as its user needs;
 * src/run wires the real adapters, tests bring fakes. No port throws synchronously.
 */
import type { Properties } from '../schemas/define.ts';
import type { InstanceRef, Issue, RunFact } from '../schemas/run-event.ts';
import type { SessionEvent } from '../schemas/session-event.ts';

/** Wall clock and timers; tests bring a simulated one. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void;
}

/** Timers of the platform overflow above this, and fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The append-only journal (J1). */
export interface JournalPort {
  /** Takes the fact's place in the order at once; durability follows with the next batch. */
  append(fact: RunFact): void;
  /** Resolves when everything appended so far is on disk; rejects with JOURNAL_WRITE or DISK_FULL. */
  flushed(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------------- graph

/** A node's identity: entity and the values of its key in schema order, scope first. */
export interface NodeKey {
  readonly entity: string;
  readonly key: readonly (string | number)[];
}

export interface GraphNode extends NodeKey {
  /** All attributes, key attributes included; null removes a property. */
  readonly properties: Properties;
}

export interface GraphRelationship {
  readonly type: string;
  readonly from: NodeKey;
  readonly to: NodeKey;
}

/** What one instance publishes, in one transaction. */
export interface GraphBatch {
  readonly runId: string;
  /** Task of the instance that wrote it. */
  readonly task: string;
  readonly nodes: readonly GraphNode[];
  readonly relationships: readonly GraphRelationship[];
}

export interface CommitResult {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly relationships: number;
}

export interface GraphRead {
  readonly entity: string;
  /** Only nodes with these attribute values. */
  readonly where?: Readonly<Record<string, string | number | boolean>>;
  /** Only nodes that this run wrote; absent = any run. */
  readonly runId?: string;
  /** Only nodes of this scope (the first key part). */
  readonly scope?: string;
  /** Default 200, at most 1000. */
  readonly limit?: number;
  /** Default 0. */
  readonly offset?: number;
}

export interface RelationshipRead {
  readonly type?: string;
  readonly from?: NodeKey;
  readonly to?: NodeKey;
  readonly scope?: string;
  readonly runId?: string;
  /** Default: all. */
  readonly limit?: number;
  /** Default 0. */
  readonly offset?: number;
}

/** What Cypher takes and gives: plain values; a node or relationship is given as its properties. */
export type CypherValue =
  | string
  | number
  | boolean
  | null
  | readonly CypherValue[]
  | { readonly [name: string]: CypherValue };

export interface CypherRequest {
  /** One statement in Neo4j's Cypher that only reads. */
  readonly text: string;
  readonly parameters?: Readonly<Record<string, CypherValue>>;
  /** Default 200, at most 10,000. */
  readonly maxRows?: number;
  /** Default 5,000, at most 60,000. */
  readonly timeLimitMs?: number;
}

export interface CypherAnswer {
  readonly columns: readonly string[];
  /** One value per column. */
  readonly rows: readonly (readonly CypherValue[])[];
  /** True when there were more rows than `maxRows`. */
  readonly truncated: boolean;
}

/** A graph that answers read-only Cypher. */
export interface CypherSource {
  /**
   * Rejects with CYPHER_REFUSED (not a read-only statement), CYPHER_INVALID (the statement is wrong), CYPHER_TIMEOUT, or
   * CYPHER_UNAVAILABLE (this machine has no engine for it; the message says what to install).
   */
  cypher(request: CypherRequest): Promise<CypherAnswer>;
  close(): Promise<void>;
}

/** The graph of validated entities. One writer (G1); upsert by business key; each batch is whole or absent. */
export interface GraphStore extends CypherSource {
  /** Rejects with GRAPH_COMMIT and writes nothing when an endpoint of a relationship does not exist. */
  commit(batch: GraphBatch): Promise<CommitResult>;
  /** Of `keys`, those that exist, as {@link nodeId} texts. */
  existing(keys: readonly NodeKey[], runId?: string): Promise<ReadonlySet<string>>;
  /** In key order (numeric parts compared as numbers), so that two reads agree. */
  read(query: GraphRead): Promise<{ readonly nodes: readonly GraphNode[]; readonly total: number }>;
  relationships(query: RelationshipRead): Promise<readonly GraphRelationship[]>;
}

/** A whole graph as a value: what rules, exports and scores are computed from. */
export interface GraphSnapshot {
  /** In schema order of the entities, then in key order. */
  readonly nodes: readonly GraphNode[];
  /** By type, then by the ends. */
  readonly relationships: readonly GraphRelationship[];
}

/** One text per node identity, for sets and maps: `WBSNode["BRU2","5.1"]`. */
export function nodeId(node: NodeKey): string {
  return `${node.entity}${JSON.stringify(node.key)}`;
}

// ------------------------------------------------------------------------------------------------------- sessions

/** What a new agent session is for. */
export interface SessionRequest {
  readonly instance: InstanceRef;
  readonly attempt: number;
  readonly title: string;
  /** `provider/model`. */
  readonly model: string;
  readonly permissions: readonly PermissionRule[];
}

/** As OpenCode evaluates them: the last rule that matches wins. */
export interface PermissionRule {
  readonly permission: string;
  readonly pattern: string;
  readonly action: 'allow' | 'deny';
}

export interface PromptRequest {
  readonly apiSessionId: string;
  /** Made by {@link AgentServer.newMessageId}; the same id sent again is harmless. */
  readonly messageId: string;
  readonly text: string;
  readonly model: string;
}

/** The agents' server, in the words that the machines need. Errors are MusterErrors. */
export interface AgentServer {
  createSession(request: SessionRequest): Promise<{ readonly apiSessionId: string }>;
  newMessageId(): string;
  /** Resolves when the server took the prompt; that the turn started is told by `session.started` only. */
  prompt(request: PromptRequest): Promise<void>;
  /** Resolves when the server took the abort, after a prompt that was on its way, or when the session is gone. */
  abort(apiSessionId: string): Promise<void>;
}

/** Where the router delivers the events of one session, in arrival order. */
export type SessionSink = (event: SessionEvent) => void;

// ---------------------------------------------------------------------------------------------------- agent output

/** What became of an instance's submission so far. */
export interface SubmissionReview {
  /** True when the agent called complete and the submission satisfied everything the task owes. */
  readonly complete: boolean;
  /** What is missing or wrong; empty when complete. */
  readonly issues: readonly Issue[];
}
