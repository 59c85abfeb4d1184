import type { CypherRule } from '../../rule.ts';

export const lbsRules: readonly CypherRule[] = [
  {
    id: 'Q16',
    severity: 'blocker',
    group: 'lbs',
    title: 'LBS tree: child code starts with the parent code and one parent edge exists',
    cypher: `
      MATCH (n:LBSNode {projectId: $projectId})
      WHERE n.parentCode IS NOT NULL AND (NOT (n.code STARTS
      WITH (n.parentCode + '-')) OR NOT EXISTS { MATCH (n)-[:CHILD_OF]->(p:LBSNode) WHERE p.code = n.parentCode })
      RETURN n.code, n.parentCode`,
    message: 'LBS {n.code} does not hang below its parent {n.parentCode}',
    hint: 'correct parentCode or code',
    atEndOf: ['lbs-extraction'],
    also: [
      {
        cypher: `
          MATCH (n:LBSNode {projectId: $projectId})
          WHERE n.parentCode IS NULL
          WITH count(n) AS roots
          WHERE roots <> 1
          RETURN roots`,
        message: 'the LBS has {roots} roots; expected one',
        atEndOf: ['lbs-extraction'],
      },
    ],
  },
  {
    id: 'Q17',
    severity: 'error',
    group: 'lbs',
    title: 'Every LBS leaf (except off-site) maps to at least one WBS node',
    cypher: `
      MATCH (n:LBSNode {projectId: $projectId})
      WHERE n.locationType <> 'off-site' AND NOT EXISTS { MATCH (:LBSNode)-[:CHILD_OF]->(n) } AND NOT EXISTS { MATCH (n)-[:MAPPED_TO]->(:WBSNode) }
      RETURN n.code`,
    message: 'no work package is mapped to the place {n.code}',
    hint: 'map the place to its work packages',
    atEndOf: ['lbs-extraction'],
  },
  {
    id: 'Q18',
    severity: 'error',
    group: 'lbs',
    title: 'MAPPED_TO points only at work packages',
    cypher: `
      MATCH (n:LBSNode {projectId: $projectId})-[:MAPPED_TO]->(w:WBSNode)
      WHERE w.nodeType <> 'work-package'
      RETURN n.code, w.code`,
    message: 'the place {n.code} is mapped to {w.code}, which is no work package',
    hint: 'map to the packages below',
    atEndOf: ['lbs-extraction'],
  },
  {
    id: 'Q19',
    severity: 'error',
    group: 'lbs',
    title: 'Every LBS leaf has an area code that exists',
    cypher: `
      MATCH (n:LBSNode {projectId: $projectId})
      WHERE NOT EXISTS { MATCH (:LBSNode)-[:CHILD_OF]->(n) } AND NOT EXISTS {
      MATCH (a:AreaCode {projectId: $projectId}) WHERE a.code = n.areaCode }
      RETURN n.code, n.areaCode`,
    message: 'the place {n.code} has the area code {n.areaCode}, which does not exist',
    hint: 'take the code from the table of areas',
  },
  {
    id: 'Q20',
    severity: 'error',
    group: 'lbs',
    title: 'Chainages are ordered and inside the parent on the same control line',
    cypher: `
      MATCH (n:LBSNode {projectId: $projectId})
      OPTIONAL MATCH (n)-[:CHILD_OF]->(p:LBSNode)
      WITH n, p
      WHERE n.chainageEnd < n.chainageStart OR (p IS NOT NULL AND n.controlLine = p.controlLine AND (n.chainageStart < p.chainageStart OR n.chainageEnd > p.chainageEnd))
      RETURN n.code, n.chainageStart, n.chainageEnd`,
    message:
      'the chainages {n.chainageStart} to {n.chainageEnd} of {n.code} are not in order, or not inside its parent',
    hint: 'metres, not kilometres; check the table',
    atEndOf: ['lbs-extraction'],
  },
  {
    id: 'Q21',
    severity: 'warning',
    group: 'lbs',
    title: 'Sibling sections on one control line do not overlap',
    cypher: `
      MATCH (a:LBSNode {projectId: $projectId}), (b:LBSNode {projectId: $projectId})
      WHERE a.parentCode = b.parentCode AND a.code < b.code AND a.controlLine = b.controlLine AND a.locationType IN ['zone','section'] AND b.locationType IN ['zone','section'] AND a.chainageStart < b.chainageEnd AND b.chainageStart < a.chainageEnd
      RETURN a.code, b.code`,
    message: 'the sections {a.code} and {b.code} overlap',
    hint: 'check the boundary chainage',
    atEndOf: ['lbs-extraction'],
  },
  {
    id: 'Q22',
    severity: 'error',
    group: 'lbs',
    title: 'Every construction work package is located somewhere',
    cypher: `
      MATCH (w:WBSNode {projectId: $projectId})
      WHERE w.isConstruction AND w.nodeType = 'work-package' AND NOT EXISTS { MATCH (:LBSNode)-[:MAPPED_TO]->(w) }
      RETURN w.code, w.name`,
    message: 'the construction work package {w.code} {w.name} has no place',
    hint: 'find the note that says where it is built',
    atEndOf: ['lbs-extraction'],
  },
];
