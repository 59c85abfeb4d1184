/** The manifest: what to run. Declarative, no expression language; every unknown field is an error. */
import { z } from 'zod';
import { cypherRule } from './rule.ts';

const kebab = (what: string) => z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, `expected ${what}`);

const taskId = kebab('a task id in kebab-case such as "wbs-extraction"');

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
  limits: limits.optional(),
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
};

/** Most instances of a fan-out without a `maxItems`. */
export const DEFAULT_MAX_ITEMS = 100;

/** The limits of one task: its own, else the manifest's, else the defaults. */
export function limitsOf(manifest: Manifest, of: ManifestTask): Limits {
  const set = (values: object | undefined) =>
    Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_LIMITS, ...set(manifest.limits), ...set(of.limits) };
}
