/** What a complete submission becomes in the graph: nodes, evidence, and every relationship, submitted or implied. */
import type { Properties } from '../../schemas/define.ts';
import { type GraphNode, type GraphRelationship, nodeId } from '../ports.ts';
import { fits, keyOf, linkedEdges } from './links.ts';
import { relationshipId, type StagedEvidence, type StagedNode, type Submission } from './submission.ts';
import { entityOf, type TaskContext } from './task-context.ts';

export interface Publication {
  readonly nodes: readonly GraphNode[];
  readonly relationships: readonly GraphRelationship[];
}

export interface PublicationPorts {
  /** Hex digest of UTF-8 text. */
  readonly sha256: (text: string) => string;
  /** Properties of nodes of other tasks, where known; decides whether a narrowed link fits its target. */
  readonly propertiesOf: (id: string) => Properties | undefined;
}

/** Attribute that names the task a node comes from; every schema's common engine attributes may hold it. */
const PRODUCED_BY = 'producedBy';

export function publication(context: TaskContext, submission: Submission, ports: PublicationPorts): Publication {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphRelationship>();
  const draw = (edge: GraphRelationship) => {
    const { type, from, to } = edge;
    edges.set(relationshipId(edge), { type, from: keyOf(from), to: keyOf(to) });
  };
  for (const node of submission.nodes.values()) {
    nodes.set(nodeId(node), graphNode(context, node, node.attributes));
    for (const edge of linkedEdges(context, node)) {
      const far = submission.nodes.get(nodeId(edge.far))?.attributes ?? ports.propertiesOf(nodeId(edge.far));
      const where =
        edge.definition.link && 'to' in edge.definition.link ? edge.definition.toWhere : edge.definition.fromWhere;
      if (where && !keyFits(context, edge.far, where) && !(far && fits(far, where))) continue;
      draw(edge);
    }
    for (const passage of node.evidence) publishPassage(context, node, passage, ports, nodes, draw);
  }
  for (const edge of submission.relationships.values()) draw(edge);
  return { nodes: [...nodes.values()], relationships: [...edges.values()] };
}

/** A quote as it is compared and hashed: bold marks removed, white space folded, trimmed. */
export function normaliseQuote(quote: string): string {
  return quote.replaceAll('**', '').replaceAll(/\s+/g, ' ').trim();
}

/** Everything the engine writes into the graph beside agents: a node with its scope edge and other implied edges. */
export function engineNode(context: TaskContext, entity: string, attributes: Properties): Publication {
  const key = entityOf(context.schema, entity)!
    .key.slice(1)
    .map((name) => attributes[name] as string | number);
  const node: StagedNode = { entity, key: [context.scope, ...key], attributes, evidence: [] };
  const shared = context.schema.common.agent.parse({}) as Properties;
  return {
    nodes: [graphNode(context, node, { ...shared, ...attributes })],
    relationships: linkedEdges(context, node).map(({ type, from, to }) => ({ type, from: keyOf(from), to: keyOf(to) })),
  };
}

function publishPassage(
  context: TaskContext,
  node: StagedNode,
  { source, locator, quote, attribute, confidence }: StagedEvidence,
  { sha256 }: PublicationPorts,
  nodes: Map<string, GraphNode>,
  draw: (edge: GraphRelationship) => void,
): void {
  const { provenance, common } = context.schema;
  if (!provenance) return;
  const quoteHash = sha256(normaliseQuote(quote)).slice(0, 16);
  const passage: StagedNode = {
    entity: provenance.entity,
    key: [context.scope, source, locator, quoteHash],
    attributes: {
      ...(common.agent.parse({}) as Properties),
      sourcePath: source,
      locator,
      quote,
      quoteHash,
      ...(attribute !== undefined && { attribute }),
      ...(confidence !== undefined && { confidence }),
    },
    evidence: [],
  };
  const id = nodeId(passage);
  // One passage may support several nodes: the first writer's words are kept.
  if (!nodes.has(id)) nodes.set(id, graphNode(context, passage, passage.attributes));
  draw({ type: provenance.relationship, from: node, to: passage });
  draw({
    type: provenance.inSource,
    from: passage,
    to: { entity: provenance.sourceEntity, key: [context.scope, source] },
  });
  for (const edge of linkedEdges(context, passage)) draw(edge);
}

function graphNode(context: TaskContext, { entity, key }: StagedNode, attributes: Properties): GraphNode {
  return {
    entity,
    key,
    properties: {
      [context.schema.scope]: context.scope,
      ...attributes,
      ...(context.schema.common.engine.includes(PRODUCED_BY) && { [PRODUCED_BY]: context.instance.task }),
    },
  };
}

/** Whether the far end's own key already has the values that narrow it. */
function keyFits(
  context: TaskContext,
  far: { entity: string; key: readonly (string | number)[] },
  where: Readonly<Record<string, string>>,
): boolean {
  const names = entityOf(context.schema, far.entity)?.key ?? [];
  return Object.entries(where).every(([name, value]) => names.includes(name) && far.key[names.indexOf(name)] === value);
}
