/** The manifest: what to run. Declarative, no expression language; every unknown field is an error. */
import { z } from 'zod';
import { FAILURE_CLASSES, type FailureClass } from './failure.ts';
import { cypherRule } from './rule.ts';

const kebab = (what: string) => z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, `expected ${what}`);

const taskId = kebab('a task id in kebab-case such as "wbs-extraction"');

/** Longest time of one timer: 24 days; timers of the platform overflow above it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const limits = z.strictObject({
  /** Fresh sessions per instance, the first included. */
  attempts: z.int().min(1).max(10).optional(),
  /** Repair turns in one session. */
  repairs: z.int().min(0).max(10).optional(),
  /** Wall time of one attempt. */
  attemptMs: z.int().min(1_000).optional(),
  /** Longest silence of a session before it counts as stalled; a known retry wait does not count. */
  stallMs: z.int().min(1_000).optional(),
  /** Model calls of one attempt. */
  steps: z.int().min(1).optional(),
  /** Input plus output plus reasoning tokens of one attempt. */
  tokens: z.int().min(1).optional(),
  /** Cost of one attempt, in the currency of the provider's price list. */
  cost: z.number().positive().optional(),
  /** Identical tool calls in a row, or cycles of two or three of them, before the attempt counts as a loop. */
  repeatedCalls: z.int().min(3).max(100).optional(),
});

const model = z.string().regex(/^[^/\s]+\/\S+$/, 'expected "provider/model" such as "anthropic/claude-sonnet-4-5"');

const retry = z.strictObject({
  /** Models to go on with when the provider of the first refuses, in this order. */
  fallbackModels: z.array(model).max(5).optional(),
  /** Wait before the second attempt; each further one doubles it. */
  firstWaitMs: z.int().min(0).max(600_000).optional(),
  /** Longest single wait, unless the provider asks for a longer one. */
  longestWaitMs: z.int().min(0).max(3_600_000).optional(),
  /** Waiting for a provider that refuses, altogether and without one call that succeeds, before the instance fails. */
  patienceMs: z.int().min(0).max(86_400_000).optional(),
  /** Classes of failure after which nothing is tried again. */
  giveUpOn: z.array(z.enum(FAILURE_CLASSES)).optional(),
});

/** What a whole run may use before it pauses; a field that is left out is no limit. */
const budget = z.strictObject({
  /** In the currency of the provider's price list. */
  cost: z.number().positive().optional(),
  /** Input plus output plus reasoning tokens. */
  tokens: z.int().min(1).optional(),
  /** Model calls. */
  steps: z.int().min(1).optional(),
  /** Time at work; the time between an end and a resume does not count. */
  timeMs: z.int().min(1_000).max(MAX_TIMER_MS).optional(),
});

const poolName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name in kebab-case such as "large-model"');

const hold = z.strictObject({
  /** `before`: the task, with all its instances, does not start. `after`: the work of each instance is not committed. */
  when: z.enum(['before', 'after']),
  /** What a person has to look at. */
  reason: z.string().min(1).max(500),
  /** Nobody decided for this long: denied. Default: it waits for ever. */
  timeoutMs: z.int().min(1_000).max(MAX_TIMER_MS).optional(),
});

const permission = z.enum([
  'bash',
  'edit',
  'webfetch',
  'websearch',
  'task',
  'todowrite',
  'skill',
  'external_directory',
]);

const task = z.strictObject({
  id: taskId,
  title: z.string().min(1),
  /** Markdown file with the task's goal, relative to the manifest. */
  prompt: z.string().min(1),
  /** Entities this task hands in; must agree with the schema's producers. */
  creates: z.array(z.string().min(1)).min(1),
  /** Entities it may read beside those of the tasks it waits for. Reading alone makes nobody wait. */
  reads: z.array(z.string().min(1)).optional(),
  /** One instance for each node of this entity that this run committed. */
  fanOut: z
    .strictObject({
      over: z.string().min(1),
      /** Most instances; more items than this fail the task before anything is spawned. Default 100. */
      maxItems: z.int().min(1).max(1000).optional(),
    })
    .optional(),
  model: z.string().optional(),
  limits: limits.optional(),
  /** Names of the manifest's sources that the agent may query; default all. */
  sources: z.array(z.string().min(1)).optional(),
  /** What follows a failure; wins over the manifest's. */
  retry: retry.optional(),
  /** Waits for a person's release. */
  hold: hold.optional(),
  /** Pool of the manifest's `pools` that bounds how many of these run at the same time. */
  pool: poolName.optional(),
  /** What the agent may do beyond reading its workspace and calling muster's tools. Documents are untrusted: widen with care. */
  allow: z.array(permission).optional(),
});

/** What is wrong with a URL or a variable's name is told by lint, which quotes neither: both may hold a secret by mistake. */
const source = z.strictObject({
  /** What agents call it. */
  name: kebab('a name in kebab-case such as "standards"'),
  /** One or two sentences for agents: what the database holds and what to ask it for. */
  description: z.string().min(1).max(1_000),
  /** `neo4j://host:7687` and its kin, without credentials. */
  url: z.string().min(1),
  /** Default: the server's own choice. */
  database: z.string().min(1).optional(),
  /** Names of the environment variables with the credentials; both or, for a server without authentication, none. */
  usernameEnv: z.string().optional(),
  passwordEnv: z.string().optional(),
});

const edge = z.strictObject({ task: taskId, waitsFor: taskId, reason: z.string().min(10) });

export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().min(1),
  description: z.string().optional(),
  /** Module whose default export is the master schema: a path relative to the manifest, or a package export. */
  schema: z.string().min(1),
  /** `provider/model`; `--model` wins. */
  model: z.string().optional(),
  /** `ready`: an instance starts when its own dependencies are met. `wave`: when the whole wave before has settled. */
  gating: z.enum(['ready', 'wave']).default('ready'),
  /** Instances at work at the same time. */
  concurrency: z.int().min(1).max(64).default(8),
  /** Instances at work at the same time, by pool. */
  pools: z.record(poolName, z.int().min(1).max(64)).optional(),
  limits: limits.optional(),
  retry: retry.optional(),
  budget: budget.optional(),
  tasks: z.array(task).min(1),
  /** Neo4j databases that agents may query, never write. */
  sources: z.array(source).optional(),
  /** Quality rules beside those of the schema. */
  rules: z.array(cypherRule).optional(),
  /** Edges to add to or drop from the derived plan, each with its reason. */
  dependencies: z.strictObject({ add: z.array(edge).optional(), drop: z.array(edge).optional() }).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestTask = Manifest['tasks'][number];
export type ManifestSource = NonNullable<Manifest['sources']>[number];

/** Limits of a task after the manifest's own and these defaults are applied. */
export type Limits = { readonly [Name in keyof z.infer<typeof limits>]-?: number };

export const DEFAULT_LIMITS: Limits = {
  attempts: 2,
  repairs: 3,
  attemptMs: 45 * 60_000,
  stallMs: 5 * 60_000,
  steps: 200,
  tokens: 5_000_000,
  cost: 25,
  repeatedCalls: 8,
};

export interface RetrySettings {
  readonly fallbackModels: readonly string[];
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly patienceMs: number;
  readonly giveUpOn: readonly FailureClass[];
}

export const DEFAULT_RETRY: RetrySettings = {
  fallbackModels: [],
  firstWaitMs: 1_000,
  longestWaitMs: 30_000,
  patienceMs: 30 * 60_000,
  giveUpOn: [],
};

export type Budget = NonNullable<Manifest['budget']>;

/** Most instances of a fan-out without a `maxItems`. */
export const DEFAULT_MAX_ITEMS = 100;

/** The limits of one task: its own, else the manifest's, else the defaults. */
export function limitsOf(manifest: Manifest, of: ManifestTask): Limits {
  return { ...DEFAULT_LIMITS, ...given(manifest.limits), ...given(of.limits) };
}

/** What follows a failure of one task: as the task says, else the manifest, else the defaults. */
export function retryOf(manifest: Manifest, of: ManifestTask): RetrySettings {
  return { ...DEFAULT_RETRY, ...given(manifest.retry), ...given(of.retry) };
}

function given(values: object | undefined): object {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
}
