/** What a complete submission becomes in the graph: nodes, evidence, and every relationship, submitted or implied. */
import type { MasterSchema, Properties } from '../../schemas/define.ts';
import { type GraphNode, type GraphRelationship, nodeId } from '../ports.ts';
import type { Passage } from './check-passage.ts';
import { edgesOf, misfit, type PropertiesOf } from './edges.ts';
import { keyOf, linkedEdges } from './links.ts';
import { normaliseQuote } from './quote.ts';
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
  readonly propertiesOf: PropertiesOf;
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
    for (const passage of node.evidence) publishPassage(context, node, passage, ports, nodes, draw);
  }
  for (const edge of edgesOf(context, submission, ports.propertiesOf)) {
    // A submitted edge that does not fit has been refused by the review; an implied one is not meant.
    if (!misfit(context, submission, edge, ports.propertiesOf)) draw(edge);
  }
  return { nodes: [...nodes.values()], relationships: [...edges.values()] };
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
  const hash = sha256(normaliseQuote(quote)).slice(0, 16);
  // How its key attributes are called is the schema's to say; the order is fixed: source, locator, hash.
  const [, ...names] = entityOf(context.schema, provenance.entity)?.key ?? [];
  const key = [source, locator, hash];
  const passage: StagedNode = {
    entity: provenance.entity,
    key: [context.scope, ...key],
    attributes: {
      ...(common.agent.parse({}) as Properties),
      ...Object.fromEntries(key.map((part, i) => [names[i]!, part])),
      quote,
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

/** The passages among published nodes. */
export function passagesOf({ provenance }: MasterSchema, nodes: readonly GraphNode[]): readonly Passage[] {
  return nodes.flatMap(({ entity, key, properties }) => {
    if (entity !== provenance?.entity) return [];
    const [, source, locator] = key.map(String);
    return [{ source: source!, locator: locator!, quote: String(properties['quote'] ?? '') }];
  });
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
