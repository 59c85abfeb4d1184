/** The work breakdown structure as schedulers take it: a tree with running numbers. */
import type { GraphNode } from '../../../ports.ts';
import { treeOrder } from '../registers/breakdown.ts';
import { type Site, textOf } from '../site.ts';

export interface WorkNode {
  /** Running, from 1, in the order of the tree. */
  readonly id: number;
  /** Absent at a root. */
  readonly parentId?: number;
  readonly code: string;
  readonly name: string;
  /** Below the root; 0 at a root. */
  readonly depth: number;
  /** Among its siblings, from 1. */
  readonly position: number;
  /** Positions from below the root down: "5.2.1"; empty at a root. */
  readonly outline: string;
  readonly hasChildren: boolean;
  readonly node: GraphNode;
}

/** Nodes of `WBSNode` or `LBSNode`, each before those below it. What names an unknown parent is a root. */
export function workTree(site: Site, entity: 'WBSNode' | 'LBSNode'): WorkNode[] {
  const nodes = treeOrder(site.all(entity));
  const parents = new Set(nodes.map(({ properties }) => textOf(properties, 'parentCode')));
  const placed = new Map<string, WorkNode>();
  const counts = new Map<number | undefined, number>();
  for (const node of nodes) {
    const code = textOf(node.properties, 'code');
    const parent = placed.get(textOf(node.properties, 'parentCode'));
    const position = (counts.get(parent?.id) ?? 0) + 1;
    counts.set(parent?.id, position);
    placed.set(code, {
      id: placed.size + 1,
      ...(parent && { parentId: parent.id }),
      code,
      name: textOf(node.properties, 'name'),
      depth: parent ? parent.depth + 1 : 0,
      position,
      outline: parent ? [parent.outline, position].filter(Boolean).join('.') : '',
      hasChildren: parents.has(code),
      node,
    });
  }
  return [...placed.values()];
}
