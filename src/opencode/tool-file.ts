/**
 * The agents' tools as a file that the server loads: `.opencode/tool/muster.js` in the workspace.
 *
 * The file holds no secret and no logic: it passes each call on to muster's endpoint together with the session id, which
 * the server supplies and the model cannot forge, and returns the answer. What the schema of arguments says is not
 * enforced by the server: whoever answers validates.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDir } from './environment.ts';

/** Ids under which the server offers the tools: file name, underscore, export name. */
export const MUSTER_TOOLS = [
  'muster_submit',
  'muster_withdraw',
  'muster_read',
  'muster_query',
  'muster_complete',
] as const;

/** Writes the file; the server reads it once, when the workspace's instance is made. */
export async function writeToolFile(workspaceDir: string): Promise<void> {
  const folder = join(configDir(workspaceDir), 'tool');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'muster.js'), toolFileSource());
}

/** Longest time for one answer: a large submission is checked in seconds. */
const ANSWER_TIMEOUT_MS = 120_000;

const text = (description: string) => ({ type: 'string', description });
const scalars = (description: string) => ({
  type: 'object',
  description,
  additionalProperties: { type: ['string', 'number', 'boolean'] },
});

/**
 * An argument that may be left out. The server declares every argument of a plain tool file as required, so the way to
 * leave one out is null; the file then passes it on as absent.
 */
function optional(schema: object): object {
  return { anyOf: [schema, { type: 'null' }] };
}

const row = {
  type: 'object',
  properties: {
    entity: text('Entity name as in AGENT_SCHEMA.md.'),
    attributes: {
      type: 'object',
      description: 'Attribute names and values as in AGENT_SCHEMA.md; key attributes too.',
    },
    evidence: {
      type: 'array',
      description: 'The passages of the documents that say so; leave it out only when the row is marked as assumed.',
      items: {
        type: 'object',
        properties: {
          source: text('Path of the document as it stands in the workspace, for example "documents/01-scope.md".'),
          locator: text('Where in the document: its nearest heading or clause number.'),
          quote: text('The passage, word for word.'),
          attribute: text('The attribute that the passage supports, when it is not the whole row.'),
          confidence: { type: 'number', description: 'From 0 to 1.' },
        },
        required: ['source', 'locator', 'quote'],
      },
    },
  },
  required: ['entity', 'attributes'],
};

const end = {
  type: 'object',
  properties: { entity: text('Entity name.'), key: scalars('Key attributes of the node, projectId left out.') },
  required: ['entity', 'key'],
};

const relationship = {
  type: 'object',
  properties: { type: text('Relationship type as in AGENT_SCHEMA.md.'), from: end, to: end },
  required: ['type', 'from', 'to'],
};

/** Description and arguments of each export. Arguments are a map of JSON-Schema fragments, one for each property. */
const TOOLS = {
  submit: {
    description:
      'Hand in entities and relationships of your task. Valid rows are kept, invalid rows are refused one by one, and ' +
      'the answer names each problem by its path: correct those rows and submit them again. Submitting a key again ' +
      'replaces the row. Submit in portions of at most 50 rows, as often as you need. Nothing is published before ' +
      'muster_complete says that the work is complete.',
    args: {
      entities: { type: 'array', description: 'Rows to hand in; [] when there are none.', items: row },
      relationships: {
        type: 'array',
        description:
          'Only relationships that AGENT_SCHEMA.md asks you to submit; all others are drawn from the attributes. [] when there are none.',
        items: relationship,
      },
    },
  },
  withdraw: {
    description: 'Take back rows that you handed in by mistake. The answer says what was taken back.',
    args: {
      entities: { type: 'array', description: 'Nodes to take back; [] for none.', items: end },
      relationships: { type: 'array', description: 'Relationships to take back; [] for none.', items: relationship },
    },
  },
  read: {
    description:
      'Read finished nodes of an entity that other tasks of this run produced, page by page. The answer says how many ' +
      'there are in all. Use their keys exactly as they are given.',
    args: {
      entity: text('Entity name as in AGENT_SCHEMA.md.'),
      where: optional(scalars('Only nodes with these attribute values, for example {"code": "4.2"}; null for all.')),
      limit: optional({ type: 'integer', description: 'Most nodes to return; null for the default.' }),
      offset: optional({ type: 'integer', description: 'Nodes to skip, for the next page; null for none.' }),
    },
  },
  query: {
    description:
      'Ask the graph of this run, read-only, in one of two ways. Either in Cypher: "cypher" (MATCH … RETURN …), with ' +
      '"parameters" for values; with "source" the statement is asked of that database in place of the graph. Or by a ' +
      'walk: "start" at the nodes of an entity and take one step for each entry of "follow".',
    args: {
      cypher: optional(text('One Cypher statement that only reads; $projectId is given. null for a walk.')),
      parameters: optional(scalars('Values of the parameters in the statement, by name; null for none.')),
      source: optional(text('Name of a database that the prompt offers; null for the graph of this run.')),
      start: optional({
        type: 'object',
        description: 'Where a walk starts; null with Cypher.',
        properties: { entity: text('Entity to start at.'), where: scalars('Only nodes with these attribute values.') },
        required: ['entity'],
      }),
      follow: optional({
        type: 'array',
        description: 'Steps of a walk in order; null or [] returns the start nodes.',
        items: {
          type: 'object',
          properties: {
            type: text('Relationship type.'),
            direction: { type: 'string', enum: ['out', 'in'], description: '"out" along the arrow, "in" against it.' },
            entity: text('Only nodes of this entity.'),
          },
          required: ['type', 'direction'],
        },
      }),
      limit: optional({ type: 'integer', description: 'Most rows to return; null for the default.' }),
    },
  },
  complete: {
    description:
      'Say that your task is done. Everything the task owes is checked: the answer either names what is still missing ' +
      'or wrong, then correct it and call again, or says that the work is complete, then stop.',
    args: {
      summary: text('Two or three sentences: what you found, and what was doubtful.'),
      none: optional({
        type: 'array',
        description: 'Entities of which the documents hold none, each with the reason; null or [] when there are none.',
        items: {
          type: 'object',
          properties: { entity: text('Entity name.'), reason: text('Why there are none: where you looked.') },
          required: ['entity', 'reason'],
        },
      }),
    },
  },
};

/**
 * How long a call is made again: while nobody listens (a run that died is resumed meanwhile, or never); while muster does
 * not know the session (it returned a moment ago and takes its sessions up one after the other); after a connection that
 * broke (as muster died: whether it took the call is not known, and taking it twice is harmless).
 */
const RETURN_WAIT = { everyMs: 500, forMs: 100_000, unknownMs: 15_000, brokenMs: 2_000 };

/** The text of muster.js: plain JavaScript without packages, the same for every run. */
export function toolFileSource(returnWait = RETURN_WAIT): string {
  const exported = Object.entries(TOOLS).map(
    ([name, { description, args }]) => `export const ${name} = {
  description: ${JSON.stringify(description)},
  args: ${JSON.stringify(args)},
  execute: (args, context) => call(${JSON.stringify(name)}, args, context),
};
`,
  );
  return `// Written by muster. Passes each call of an agent on to muster and returns its answer.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

async function call(name, given, context) {
  const args = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined));
  const start = Date.now();
  for (;;) {
    const answer = await ask(name, args, context);
    if (answer.text !== undefined) return answer.text;
    if (context.abort.aborted || Date.now() - start >= answer.waitMs) throw answer.error;
    await new Promise((resume) => setTimeout(resume, ${returnWait.everyMs}));
  }
}

/** An answer, or an error after which it is worth waiting so long; any other error is thrown. */
async function ask(name, args, context) {
  const endpoint = await findEndpoint(context.directory);
  let response;
  try {
    response = await fetch(endpoint.url + '/tools/' + name, {
      method: 'POST',
      headers: { authorization: 'Bearer ' + endpoint.token, 'content-type': 'application/json' },
      body: JSON.stringify({ session: context.sessionID, call: context.callID, arguments: args }),
      signal: AbortSignal.any([context.abort, AbortSignal.timeout(${ANSWER_TIMEOUT_MS})]),
    });
  } catch (error) {
    if (context.abort.aborted) throw error;
    // The one name is Bun's, the other Node's.
    const isGone = error.code === 'ConnectionRefused' || error.cause?.code === 'ECONNREFUSED';
    if (isGone) return { error: new Error('muster is not there and did not return. Stop and say so.'), waitMs: ${returnWait.forMs} };
    const broken = new Error('muster did not answer (' + error.name + '). Your work so far is kept. Try once more; if it fails again, stop and say so.');
    if (error.name === 'TimeoutError') throw broken;
    return { error: broken, waitMs: ${returnWait.brokenMs} };
  }
  const body = await response.json().catch(() => undefined);
  if (response.ok && typeof body?.text === 'string') return { text: body.text };
  const reason = body?.text ?? body?.error ?? 'no reason given';
  const error = new Error('muster refused the call with HTTP status ' + response.status + ': ' + (typeof reason === 'string' ? reason : JSON.stringify(reason)));
  if (response.status === 403) return { error, waitMs: ${returnWait.unknownMs} };
  throw error;
}

async function findEndpoint(directory) {
  try {
    return JSON.parse(await readFile(join(directory, '..', 'endpoint.json'), 'utf8'));
  } catch (error) {
    throw new Error('the run that this session belongs to has ended (' + (error.code ?? error.name) + '): nothing can be handed in. Stop.');
  }
}

${exported.join('\n')}`;
}
