import { attribute, type RelationshipDefinition } from '../../define.ts';

/** What is built and where: the two trees and the matrix between them. */
export const breakdownRelationships: readonly RelationshipDefinition[] = [
  {
    type: 'CHILD_OF',
    from: 'WBSNode',
    to: 'WBSNode',
    cardinality: 'n:1',
    // The root has none.
    perSource: { min: 0, max: 1 },
    required: true,
    resolution: 'producer',
    link: { to: { code: attribute('parentCode') } },
    meaning: 'The node above in the tree; the root has none.',
  },
  {
    type: 'USES_WORK_TYPE',
    from: 'WBSNode',
    to: 'WorkType',
    cardinality: 'n:1',
    required: false,
    // Required and producer here would make wbs-extraction wait for project-details.
    resolution: 'late',
    link: { to: { code: attribute('workTypeCode') } },
    meaning: 'The work type of the work package, by code.',
  },
  {
    type: 'CHILD_OF',
    from: 'LBSNode',
    to: 'LBSNode',
    cardinality: 'n:1',
    perSource: { min: 0, max: 1 },
    required: true,
    resolution: 'producer',
    link: { to: { code: attribute('parentCode') } },
    meaning: 'The place around this one; the root has none.',
  },
  {
    type: 'MAPPED_TO',
    from: 'LBSNode',
    to: 'WBSNode',
    cardinality: 'n:m',
    perSource: { min: 1, leavesOf: 'CHILD_OF' },
    required: true,
    resolution: 'producer',
    meaning: 'A work package that is done at the place; every place without places below it has at least one.',
  },
  {
    type: 'IN_AREA',
    from: 'LBSNode',
    to: 'AreaCode',
    cardinality: 'n:1',
    required: false,
    resolution: 'late',
    link: { to: { code: attribute('areaCode') } },
    meaning: 'The area code of the place.',
  },
];
