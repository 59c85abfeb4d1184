import type { CypherRule } from '../../rule.ts';

export const identityRules: readonly CypherRule[] = [
  {
    id: 'Q01',
    severity: 'blocker',
    group: 'identity',
    title: "Every node carries the run's projectId",
    cypher: `
      MATCH (m {projectId: $projectId})--(n)
      WHERE n.projectId IS NULL OR n.projectId <> $projectId
      RETURN DISTINCT labels(n) AS label, n.projectId AS projectId`,
    message: "{label} of this project's graph carries the project id {projectId}",
    hint: 'use the projectId of the run',
    atEndOf: ['*'],
  },
  {
    id: 'Q02',
    severity: 'blocker',
    group: 'identity',
    title: 'Business keys are unique (shown for WBSNode; one query or uniqueness constraint per entity)',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      WITH n.code AS code, count(*) AS c
      WHERE c > 1
      RETURN code, c`,
    message: 'the WBS code {code} stands for {c} nodes',
    hint: 'merge the two or give the second its own code',
    atEndOf: ['*'],
  },
  {
    id: 'Q03',
    severity: 'error',
    group: 'identity',
    title: 'No UUID is used as a business key',
    cypher: `
      MATCH (n {projectId: $projectId})
      WITH n, coalesce(n.code, n.docNo, n.pointNo, n.planType) AS k
      WHERE k =~ '(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
      RETURN labels(n) AS label, k`,
    message: '{label}: the key {k} is a UUID',
    hint: 'use the printed code',
    atEndOf: ['*'],
  },
  {
    id: 'Q04',
    severity: 'blocker',
    group: 'identity',
    title: 'Exactly one Project node',
    cypher: `
      OPTIONAL MATCH (p:Project {projectId: $projectId})
      WITH count(p) AS c
      WHERE c <> 1
      RETURN c`,
    message: '{c} Project nodes; expected one',
    hint: 'write one Project node',
    atEndOf: ['project-details'],
  },
  {
    id: 'Q05',
    severity: 'error',
    group: 'provenance',
    title: 'Every extracted node has evidence, or is marked assumed',
    cypher: `
      MATCH (n {projectId: $projectId})
      WHERE NOT n:Evidence AND NOT n:SourceFile AND coalesce(n.assumed, false) = false AND NOT EXISTS { MATCH (n)-[:EVIDENCED_BY]->(:Evidence) }
      RETURN labels(n) AS label, coalesce(n.code, n.docNo, n.pointNo) AS key, n.itemNo AS item`,
    message: '{label} {key} {item} cites no passage and is not marked as assumed',
    hint: 'cite the passage, or set assumed',
    atEndOf: ['*'],
  },
];
