/** Why a batch cannot be stored, in the same words whichever database is behind the port. */
import { ensureError, MusterError } from '../errors.ts';
import { type GraphNode, type GraphRelationship, type NodeKey, nodeId } from '../ports.ts';
import { assertStorable } from './properties.ts';

/** Edges named in the message when endpoints are missing. */
const NAMED_EDGES = 5;

const NOTHING = 'Nothing of the batch was written.';

/** @throws GRAPH_COMMIT unless the key is texts and finite numbers, at least one. */
export function assertKey(node: NodeKey): void {
  const sound = node.key.every((part) => typeof part === 'string' || Number.isFinite(part));
  if (node.key.length > 0 && sound) return;
  throw new MusterError(
    'GRAPH_COMMIT',
    `Expected a key of texts and finite numbers for ${node.entity}; got ${JSON.stringify(node.key)}. ${NOTHING}`,
  );
}

/** @throws GRAPH_COMMIT when a property of the node is nothing that both stores can hold. */
export function assertProperties(node: GraphNode): void {
  try {
    assertStorable(node.properties);
  } catch (thrown) {
    const cause = ensureError(thrown);
    throw new MusterError('GRAPH_COMMIT', `Cannot store ${nodeId(node)}, ${cause.message}. ${NOTHING}`, { cause });
  }
}

/** The GRAPH_COMMIT for relationships of which an end does not exist; undefined when all ends do. */
export function missingEnds(
  task: string,
  relationships: readonly GraphRelationship[],
  exists: (end: NodeKey) => boolean,
): MusterError | undefined {
  const dangling = relationships.flatMap(({ type, from, to }) => {
    const missing = [from, to].filter((end) => !exists(end)).map(nodeId);
    return missing.length === 0
      ? []
      : [`${nodeId(from)} ${type} ${nodeId(to)}: no node ${missing.join(' and no node ')}`];
  });
  if (dangling.length === 0) return undefined;
  const more = dangling.length > NAMED_EDGES ? `; and ${dangling.length - NAMED_EDGES} more` : '';
  return new MusterError(
    'GRAPH_COMMIT',
    `Expected both ends of each relationship of ${task} to exist; got ${dangling.slice(0, NAMED_EDGES).join('; ')}${more}. ${NOTHING} Hand in the missing nodes, or leave the relationship out.`,
  );
}
