/**
 * A batch as the statements that write it: what a commit runs in one transaction, and what a dry run prints. Pure.
 *
 * Locks are taken in one order by everybody, which is what keeps committers from blocking one another for ever: the ends
 * of relationships and the nodes by label and key; relationships come last, when both of their ends are held.
 */
import type { Properties, PropertyValue } from '../../schemas/define.ts';
import { MusterError } from '../errors.ts';
import { type GraphBatch, type GraphNode, type GraphRelationship, type NodeKey, nodeId } from '../ports.ts';
import { assertKey, assertProperties } from './batch-faults.ts';
import { keyOrder } from './key-order.ts';
import { ENGINE_PROPERTIES, type EntityShape, type GraphShape, keyPattern, quoted } from './neo4j-shape.ts';

/** Rows of one statement: large enough to be quick, small enough to read in a dry run. */
const ROWS = 500;

/** What a row holds; numbers that are whole travel as integers. */
export type RowValue = PropertyValue | null | readonly (string | number)[] | { readonly [name: string]: RowValue };

export interface WriteStatement {
  readonly kind: 'lock' | 'nodes' | 'relationships';
  /** For people: what the rows are. */
  readonly what: string;
  readonly text: string;
  readonly rows: readonly { readonly [name: string]: RowValue }[];
  /** The other parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The statements in the order in which they must run, all of them in one transaction.
 * @throws GRAPH_COMMIT when a node is not of the schema or holds what Neo4j cannot.
 */
export function writeStatements(batch: GraphBatch, shape: GraphShape, time: string): WriteStatement[] {
  for (const node of batch.nodes) assertNode(node, shape);
  for (const { type } of batch.relationships) {
    if (!shape.types.has(type)) throw unknown(`the relationship type ${JSON.stringify(type)}`);
  }
  const writer = { runId: batch.runId, task: batch.task, time };
  return [
    ...lockStatements(batch, shape),
    ...rounds(batch.nodes).flatMap((nodes) =>
      [...byEntity(nodes, shape)].flatMap(([entity, each]) =>
        chunks(each.map((node) => nodeRow(node, entity))).map(
          (rows): WriteStatement => ({
            kind: 'nodes',
            what: entity.name,
            text: nodeText(entity),
            rows,
            parameters: writer,
          }),
        ),
      ),
    ),
    ...relationshipStatements(batch, shape, writer),
  ];
}

/** A node that occurs several times is written several times, one after the other, as the batch says. */
function rounds(nodes: readonly GraphNode[]): GraphNode[][] {
  const seen = new Map<string, number>();
  const found: GraphNode[][] = [];
  for (const node of nodes) {
    const id = nodeId(node);
    const round = seen.get(id) ?? 0;
    seen.set(id, round + 1);
    found[round] ??= [];
    found[round].push(node);
  }
  return found;
}

/** Whole groups in the order of the names, each in the order of its keys: the order of the locks. */
function byEntity<Node extends NodeKey>(nodes: readonly Node[], shape: GraphShape): Map<EntityShape, Node[]> {
  const keyed = nodes.map((node) => [nodeId(node), node] as const).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const groups = new Map<string, Node[]>();
  for (const [, node] of keyed) {
    const group = groups.get(node.entity);
    if (group === undefined) groups.set(node.entity, [node]);
    else group.push(node);
  }
  const names = [...groups.keys()].sort();
  return new Map(
    names.flatMap((name) => {
      const entity = shape.entities.get(name);
      return entity === undefined ? [] : [[entity, groups.get(name)!] as const];
    }),
  );
}

function nodeRow(node: GraphNode, entity: EntityShape): { readonly [name: string]: RowValue } {
  const props: Record<string, PropertyValue | null> = {};
  for (const name of Object.keys(node.properties).sort()) {
    const value = node.properties[name];
    if (value !== undefined && !entity.key.includes(name)) props[name] = value;
  }
  return { key: node.key, order: keyOrder(node.key), props };
}

/** `before` is read under the lock that the first SET takes, so that the counts are right among several committers. */
function nodeText(entity: EntityShape): string {
  return [
    'UNWIND $rows AS row',
    `MERGE ${keyPattern('n', entity, 'row.key')}`,
    'WITH n, row, n.musterRunId IS NULL AS created',
    'SET n.musterRunId = $runId, n.musterTask = $task, n.musterOrder = row.order',
    'WITH n, row, created, properties(n) AS before',
    'SET n += row.props',
    'WITH n, created, created OR properties(n) <> before AS changed',
    'SET n.musterCreatedAt = CASE WHEN created THEN $time ELSE n.musterCreatedAt END,',
    '    n.musterUpdatedAt = CASE WHEN changed THEN $time ELSE n.musterUpdatedAt END',
    'RETURN count(CASE WHEN created THEN 1 END) AS created,',
    '       count(CASE WHEN changed AND NOT created THEN 1 END) AS updated,',
    '       count(CASE WHEN NOT changed THEN 1 END) AS unchanged',
  ].join('\n');
}

/**
 * Only a batch with ends outside of it needs them: its own nodes are locked in order as they are written. Setting a
 * property to what it is writes nothing and takes the lock.
 */
function lockStatements(batch: GraphBatch, shape: GraphShape): WriteStatement[] {
  const own = new Set(batch.nodes.map(nodeId));
  const ends = new Map<string, NodeKey>();
  for (const end of batch.relationships.flatMap(({ from, to }) => [from, to])) ends.set(nodeId(end), end);
  if ([...ends.keys()].every((id) => own.has(id))) return [];
  for (const node of batch.nodes) ends.set(nodeId(node), node);
  return [...byEntity([...ends.values()], shape)].flatMap(([entity, nodes]) =>
    chunks(nodes.map(({ key }) => ({ key }))).map(
      (rows): WriteStatement => ({
        kind: 'lock',
        what: entity.name,
        text: [
          'UNWIND $rows AS row',
          `MATCH ${keyPattern('n', entity, 'row.key')}`,
          'SET n.musterOrder = n.musterOrder',
          'RETURN count(n) AS locked',
        ].join('\n'),
        rows,
        parameters: {},
      }),
    ),
  );
}

function relationshipStatements(
  batch: GraphBatch,
  shape: GraphShape,
  parameters: Readonly<Record<string, string>>,
): WriteStatement[] {
  const groups = new Map<string, Map<string, GraphRelationship>>();
  for (const relationship of batch.relationships) {
    const { type, from, to } = relationship;
    const name = `${type} ${from.entity} ${to.entity}`;
    const group = groups.get(name) ?? new Map<string, GraphRelationship>();
    group.set(`${nodeId(from)} ${nodeId(to)}`, relationship);
    groups.set(name, group);
  }
  return [...groups.keys()].sort().flatMap((name) => {
    const group = groups.get(name)!;
    const edges = [...group.keys()].sort().map((id) => group.get(id)!);
    const { type, from, to } = edges[0]!;
    const [source, target] = [shape.entities.get(from.entity), shape.entities.get(to.entity)];
    // An end of an entity that the schema does not have is missing, which the commit finds out by the count.
    const text = source !== undefined && target !== undefined ? relationshipText(type, source, target) : NO_ROWS;
    return chunks(edges.map((edge) => ({ from: edge.from.key, to: edge.to.key }))).map(
      (rows): WriteStatement => ({
        kind: 'relationships',
        what: `${from.entity} ${type} ${to.entity}`,
        text,
        rows,
        parameters: text === NO_ROWS ? {} : parameters,
      }),
    );
  });
}

const NO_ROWS = 'UNWIND $rows AS row\nWITH row WHERE false\nRETURN count(row) AS written';

function relationshipText(type: string, from: EntityShape, to: EntityShape): string {
  return [
    'UNWIND $rows AS row',
    `MATCH ${keyPattern('a', from, 'row.from')}`,
    `MATCH ${keyPattern('b', to, 'row.to')}`,
    `MERGE (a)-[r:${quoted(type)}]->(b)`,
    'SET r.musterRunId = $runId, r.musterTask = $task,',
    '    r.musterCreatedAt = coalesce(r.musterCreatedAt, $time),',
    '    r.musterUpdatedAt = coalesce(r.musterUpdatedAt, $time)',
    'RETURN count(r) AS written',
  ].join('\n');
}

function assertNode(node: GraphNode, shape: GraphShape): void {
  const entity = shape.entities.get(node.entity);
  if (entity === undefined) throw unknown(`the entity ${JSON.stringify(node.entity)}`);
  assertKey(node);
  assertProperties(node);
  const refuse = (expected: string, got: string): never => {
    throw new MusterError(
      'GRAPH_COMMIT',
      `Expected ${expected} for ${nodeId(node)}; got ${got}. Nothing of the batch was written.`,
    );
  };
  if (node.key.length !== entity.key.length) refuse(`a key of ${entity.key.join(', ')}`, `${node.key.length} parts`);
  for (const [at, name] of entity.key.entries()) {
    const value = (node.properties as Properties)[name];
    if (value !== undefined && value !== node.key[at]) {
      refuse(`"${name}" to be the part of the key`, JSON.stringify(value));
    }
  }
  const reserved = Object.keys(node.properties).find(
    (name) => name === '__proto__' || (ENGINE_PROPERTIES as readonly string[]).includes(name),
  );
  if (reserved !== undefined) refuse('attributes of the schema', `"${reserved}", which is not one`);
}

function unknown(what: string): MusterError {
  return new MusterError(
    'GRAPH_COMMIT',
    `Expected entities and relationship types of the master schema; got ${what}. Nothing of the batch was written.`,
  );
}

function chunks<Row>(rows: readonly Row[]): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, at) => rows.slice(at * ROWS, (at + 1) * ROWS));
}
