import type { CypherRule } from '../../rule.ts';

export const itpCoverageRules: readonly CypherRule[] = [
  {
    id: 'Q23',
    severity: 'blocker',
    group: 'itp',
    title: 'Every mandatory required ITP has exactly one ITP',
    cypher: `
      MATCH (q:ITPRequirement {projectId: $projectId})
      WHERE q.mandatory
      OPTIONAL MATCH (t:ITPTemplate)-[:SATISFIES]->(q)
      WITH q, count(t) AS c
      WHERE c <> 1
      RETURN q.docNo, c`,
    message: 'the required {q.docNo} has {c} ITPs; expected one',
    hint: 'run the missing instance again',
  },
  {
    id: 'Q24',
    severity: 'error',
    group: 'itp',
    title: 'No ITP without a requirement',
    cypher: `
      MATCH (t:ITPTemplate {projectId: $projectId})
      WHERE NOT (t)-[:SATISFIES]->(:ITPRequirement)
      RETURN t.docNo`,
    message: 'no requirement asks for {t.docNo}',
    hint: 'drop it, or add the requirement to the PQP',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q25',
    severity: 'error',
    group: 'itp',
    title: 'Every construction work package is covered by at least one ITP',
    cypher: `
      MATCH (w:WBSNode {projectId: $projectId})
      WHERE w.isConstruction AND w.nodeType = 'work-package' AND NOT EXISTS { MATCH (:ITPTemplate)-[:COVERS_WBS]->(w) }
      RETURN w.code, w.name`,
    message: 'no ITP covers the construction work package {w.code} {w.name}',
    hint: 'extend the ITP of its work type',
  },
  {
    id: 'Q26',
    severity: 'error',
    group: 'itp',
    title: 'COVERS_WBS contains every WBS code the contract prints beside the ITP',
    cypher: `
      MATCH (t:ITPTemplate {projectId: $projectId})-[:SATISFIES]->(q:ITPRequirement)
      WITH t, q
      WHERE q.wbsHints IS NOT NULL
      UNWIND q.wbsHints AS h
      WITH t, h
      WHERE NOT EXISTS { MATCH (t)-[:COVERS_WBS]->(w:WBSNode) WHERE w.code = h }
      RETURN t.docNo, h`,
    message: '{t.docNo} does not cover {h}, which the contract prints beside it',
    hint: 'add the edge',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q27',
    severity: 'error',
    group: 'itp',
    title: 'Work type of ITP, requirement and covered WBS agree',
    cypher: `
      MATCH (t:ITPTemplate {projectId: $projectId})-[:COVERS_WBS]->(w:WBSNode)
      WHERE w.workTypeCode IS NOT NULL AND w.workTypeCode <> t.workTypeCode
      RETURN t.docNo, t.workTypeCode, w.code, w.workTypeCode`,
    message: '{t.docNo} is for work type {t.workTypeCode}, but covers {w.code} of work type {w.workTypeCode}',
    hint: 'correct the coverage or the code',
    atEndOf: ['itp-generation'],
  },
];
