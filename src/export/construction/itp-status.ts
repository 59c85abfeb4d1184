/** "DRAFT" until a person has looked at every part of an ITP; a machine never says more than that it was reviewed. */
import type { GraphNode } from '../../ports.ts';
import { reviewOf, type Site } from './site.ts';

/** What a person said of a node when it counts as looked at. */
const REVIEWED = new Set(['accepted', 'corrected']);

export function isReviewed(node: GraphNode): boolean {
  return REVIEWED.has(reviewOf(node));
}

export function itpStatus(site: Site, template: GraphNode): string {
  const items = site.to(template, 'HAS_POINT');
  const parts = [template, ...items, ...items.flatMap((item) => site.to(item, 'HAS_CRITERION'))];
  return parts.every(isReviewed) ? 'REVIEWED, NOT ISSUED' : 'DRAFT';
}
