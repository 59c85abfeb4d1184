import { attribute, type RelationshipDefinition } from '../../define.ts';

/** Every entity but the root belongs to its project. The key is configuration, so nothing waits for project-details. */
export function belongsToProject(entities: readonly string[]): RelationshipDefinition[] {
  return entities
    .filter((name) => name !== 'Project')
    .map((name) => ({
      type: 'BELONGS_TO_PROJECT',
      from: name,
      to: 'Project',
      cardinality: 'n:1',
      required: true,
      resolution: 'apriori',
      link: { to: {} },
      meaning: 'Scope of the node.',
    }));
}

/** Passages and the files they stand in. */
export const provenanceRelationships: readonly RelationshipDefinition[] = [
  {
    type: 'EVIDENCED_BY',
    from: '*',
    to: 'Evidence',
    cardinality: 'n:m',
    // A node that is marked assumed has none.
    perSource: { min: 1 },
    required: true,
    resolution: 'producer',
    meaning: 'The passage supports the node.',
  },
  {
    type: 'IN_SOURCE',
    from: 'Evidence',
    to: 'SourceFile',
    cardinality: 'n:1',
    required: true,
    resolution: 'apriori',
    link: { to: { path: attribute('sourcePath') } },
    meaning: 'The file that the passage stands in.',
  },
];
