/** The questions asked of the graph in Neo4j. Names in a statement's text are of the schema; all else is a parameter. */
import type { ManagedTransaction } from 'neo4j-driver';
import type { Properties } from '../../schemas/define.ts';
import type { GraphNode, GraphRead, GraphRelationship, NodeKey, RelationshipRead } from '../ports.ts';
import { nodeId } from '../ports.ts';
import { rowsOf } from './neo4j-connection.ts';
import { ENGINE_PROPERTIES, type EntityShape, type GraphShape, keyPattern, quoted } from './neo4j-shape.ts';
import { fromNeo4j, plainMap } from './neo4j-values.ts';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1000;
/** Keys asked for at once. */
const KEYS = 1000;
const ENGINE: ReadonlySet<string> = new Set(ENGINE_PROPERTIES);

interface Condition {
  readonly text: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** The page that the query names, and how many nodes there are in all. */
export async function listNodes(
  transaction: ManagedTransaction,
  shape: GraphShape,
  query: GraphRead,
): Promise<{ nodes: GraphNode[]; total: number }> {
  const entity = shape.entities.get(query.entity);
  if (entity === undefined) return { nodes: [], total: 0 };
  const { text, parameters } = nodeCondition(query, entity);
  const [counted] = await rowsOf(
    transaction,
    `MATCH (n:${entity.label}) WHERE ${text} RETURN count(n) AS total`,
    parameters,
  );
  const key = entity.key.map((name) => `n.${quoted(name)}`).join(', ');
  const rows = await rowsOf(
    transaction,
    // The comparison says nothing about the nodes; with it the index in key order is used.
    `MATCH (n:${entity.label}) WHERE n.musterOrder >= '' AND ${text}
     RETURN [${key}] AS key, properties(n) AS properties ORDER BY n.musterOrder, ${key} SKIP $offset LIMIT $limit`,
    {
      ...parameters,
      limit: whole(Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT)),
      offset: whole(query.offset ?? 0),
    },
  );
  const nodes = rows.map((row) => ({
    entity: entity.name,
    key: fromNeo4j(row['key']) as NodeKey['key'],
    properties: attributes(row['properties'] as Record<string, unknown>),
  }));
  return { nodes, total: Number(counted?.['total'] ?? 0) };
}

export async function listRelationships(
  transaction: ManagedTransaction,
  shape: GraphShape,
  query: RelationshipRead,
): Promise<GraphRelationship[]> {
  if (query.type !== undefined && !shape.types.has(query.type)) return [];
  const ends = [query.from, query.to].map((end) => (end === undefined ? undefined : soundEnd(shape, end)));
  if (ends.includes(null)) return [];
  const [from, to] = ends;
  const conditions: Condition[] = [{ text: 'r.musterRunId IS NOT NULL', parameters: {} }];
  if (query.runId !== undefined)
    conditions.push({ text: 'r.musterRunId = $runId', parameters: { runId: query.runId } });
  if (query.scope !== undefined) {
    conditions.push({ text: 'a[$keys[fromEntity][0]] = $scope', parameters: { scope: query.scope } });
  }
  const { text, parameters } = all(conditions);
  const a = from ? keyPattern('a', from, '$from') : '(a)';
  const b = to ? keyPattern('b', to, '$to') : '(b)';
  const bounded = query.limit !== undefined && query.limit !== Infinity;
  const rows = await rowsOf(
    transaction,
    `MATCH ${a}-[r${query.type === undefined ? '' : `:${quoted(query.type)}`}]->${b}
     WITH a, r, b, [label IN labels(a) WHERE label IN $labels][0] AS fromEntity,
          [label IN labels(b) WHERE label IN $labels][0] AS toEntity
     WHERE fromEntity IS NOT NULL AND toEntity IS NOT NULL AND ${text}
     WITH type(r) AS type, fromEntity, toEntity, a.musterOrder AS fromOrder, b.musterOrder AS toOrder,
          [name IN $keys[fromEntity] | a[name]] AS fromKey, [name IN $keys[toEntity] | b[name]] AS toKey
     RETURN type, fromEntity, fromKey, toEntity, toKey
     ORDER BY type, fromEntity, fromOrder, fromKey, toEntity, toOrder, toKey
     SKIP $offset ${bounded ? 'LIMIT $limit' : ''}`,
    {
      ...parameters,
      labels: [...shape.entities.keys()],
      keys: Object.fromEntries([...shape.entities.values()].map(({ name, key }) => [name, key])),
      from: query.from?.key ?? null,
      to: query.to?.key ?? null,
      offset: whole(query.offset ?? 0),
      limit: whole(query.limit ?? 0),
    },
  );
  return rows.map((row) => ({
    type: String(row['type']),
    from: { entity: String(row['fromEntity']), key: fromNeo4j(row['fromKey']) as NodeKey['key'] },
    to: { entity: String(row['toEntity']), key: fromNeo4j(row['toKey']) as NodeKey['key'] },
  }));
}

/** Of `keys`, those that exist (and that the run wrote), as texts of {@link nodeId}. */
export async function existingNodes(
  transaction: ManagedTransaction,
  shape: GraphShape,
  keys: readonly NodeKey[],
  runId?: string,
): Promise<Set<string>> {
  const wanted = new Map<EntityShape, NodeKey[]>();
  for (const node of keys) {
    const entity = soundEnd(shape, node);
    if (entity === null) continue;
    const group = wanted.get(entity);
    if (group === undefined) wanted.set(entity, [node]);
    else group.push(node);
  }
  const found = new Set<string>();
  for (const [entity, nodes] of wanted) {
    for (let start = 0; start < nodes.length; start += KEYS) {
      const page = nodes.slice(start, start + KEYS);
      const rows = await rowsOf(
        transaction,
        `UNWIND range(0, size($keys) - 1) AS at WITH at, $keys[at] AS key
         MATCH ${keyPattern('n', entity, 'key')} WHERE n.musterRunId IS NOT NULL ${runId === undefined ? '' : 'AND n.musterRunId = $runId'}
         RETURN at`,
        { keys: page.map(({ key }) => key), runId: runId ?? null },
      );
      for (const row of rows) found.add(nodeId(page[Number(row['at'])]!));
    }
  }
  return found;
}

/** The entity of a node that can exist; null when the schema has no such entity or its key has other parts. */
function soundEnd(shape: GraphShape, { entity, key }: NodeKey): EntityShape | null {
  const found = shape.entities.get(entity);
  return found !== undefined && found.key.length === key.length ? found : null;
}

function nodeCondition(query: GraphRead, entity: EntityShape): Condition {
  const conditions: Condition[] = [{ text: 'n.musterRunId IS NOT NULL', parameters: {} }];
  if (query.scope !== undefined) {
    conditions.push({ text: `n.${quoted(entity.key[0]!)} = $scope`, parameters: { scope: query.scope } });
  }
  if (query.runId !== undefined) {
    conditions.push({ text: 'n.musterRunId = $runId', parameters: { runId: query.runId } });
  }
  for (const [at, [name, value]] of Object.entries(query.where ?? {}).entries()) {
    conditions.push(
      ENGINE.has(name)
        ? { text: 'false', parameters: {} }
        : { text: `n[$name${at}] = $value${at}`, parameters: { [`name${at}`]: name, [`value${at}`]: value } },
    );
  }
  return all(conditions);
}

function attributes(properties: Readonly<Record<string, unknown>>): Properties {
  const own = Object.fromEntries(Object.entries(properties).filter(([name]) => !ENGINE.has(name)));
  return plainMap(own) as Properties;
}

function all(conditions: readonly Condition[]): Condition {
  return {
    text: conditions.map(({ text }) => text).join(' AND '),
    parameters: Object.assign({}, ...conditions.map(({ parameters }) => parameters)) as Record<string, unknown>,
  };
}

/** A limit or offset as the database takes it; what is no number counts as 0. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.trunc(value)) : 0;
}
