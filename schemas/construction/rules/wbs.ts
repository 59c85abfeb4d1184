import type { CypherRule } from '../../rule.ts';

export const wbsRules: readonly CypherRule[] = [
  {
    id: 'Q09',
    severity: 'blocker',
    group: 'wbs',
    title: 'Parent code is the code without its last segment (level 1 under root "0")',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      WHERE n.code <> '0' AND n.parentCode <> CASE WHEN n.code CONTAINS '.' THEN left(n.code, size(n.code) - size(last(split(n.code, '.'))) - 1) ELSE '0' END
      RETURN n.code, n.parentCode`,
    message: 'WBS {n.code} names the parent {n.parentCode}, which is not its code without the last segment',
    hint: 'correct parentCode',
    atEndOf: ['wbs-extraction'],
  },
  {
    id: 'Q10',
    severity: 'blocker',
    group: 'wbs',
    title: 'Tree: one root, one parent each, the edge agrees with parentCode',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      OPTIONAL MATCH (n)-[:CHILD_OF]->(p:WBSNode)
      WITH n, count(p) AS k, min(p.code) AS pc
      WHERE (n.parentCode IS NULL AND k <> 0) OR (n.parentCode IS NOT NULL AND (k <> 1 OR pc <> n.parentCode))
      RETURN n.code, n.parentCode, k`,
    message: 'WBS {n.code} has {k} parents by CHILD_OF, and the parent code {n.parentCode}',
    hint: 'draw CHILD_OF to parentCode',
    atEndOf: ['wbs-extraction'],
    also: [
      {
        cypher: `
          MATCH (n:WBSNode {projectId: $projectId})
          WHERE n.parentCode IS NULL
          WITH count(n) AS roots
          WHERE roots <> 1
          RETURN roots`,
        message: 'the WBS has {roots} roots; expected one',
        atEndOf: ['wbs-extraction'],
      },
    ],
  },
  {
    id: 'Q11',
    severity: 'error',
    group: 'wbs',
    title: 'Every construction work package has a work type that exists',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      WHERE n.isConstruction AND n.nodeType = 'work-package' AND NOT EXISTS {
      MATCH (w:WorkType {projectId: $projectId}) WHERE w.code = n.workTypeCode }
      RETURN n.code, n.workTypeCode`,
    message: 'the construction work package {n.code} has the work type {n.workTypeCode}, which does not exist',
    hint: 'take the code from the table of work types',
  },
  {
    id: 'Q12',
    severity: 'error',
    group: 'wbs',
    title: 'level equals the number of code segments',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      WHERE n.level <> CASE WHEN n.code = '0' THEN 0 ELSE size(split(n.code, '.')) END
      RETURN n.code, n.level`,
    message: 'WBS {n.code} says level {n.level}',
    hint: 'recount',
    atEndOf: ['wbs-extraction'],
  },
  {
    id: 'Q13',
    severity: 'error',
    group: 'wbs',
    title: 'A schedule item belongs to exactly one work package',
    cypher: `
      MATCH (n:WBSNode {projectId: $projectId})
      UNWIND n.scheduleItems AS item
      WITH item, collect(n.code) AS codes
      WHERE size(codes) > 1
      RETURN item, codes`,
    message: 'the schedule item {item} belongs to {codes}',
    hint: 'leave the item at the package that the schedule names',
    atEndOf: ['wbs-extraction'],
  },
  {
    id: 'Q14',
    severity: 'warning',
    group: 'wbs',
    title: 'No two siblings have the same name (case and punctuation ignored)',
    cypher: `
      MATCH (a:WBSNode {projectId: $projectId}), (b:WBSNode {projectId: $projectId})
      WHERE a.parentCode = b.parentCode AND a.code < b.code AND toLower(replace(replace(a.name, '-', ' '), '  ', ' ')) = toLower(replace(replace(b.name, '-', ' '), '  ', ' '))
      RETURN a.code, b.code, a.name`,
    message: 'WBS {a.code} and {b.code} are siblings of one name: {a.name}',
    hint: 'merge, or name the difference',
    atEndOf: ['wbs-extraction'],
  },
  {
    id: 'Q15',
    severity: 'warning',
    group: 'wbs',
    title: 'A decomposed node has at least two children',
    cypher: `
      MATCH (c:WBSNode {projectId: $projectId})-[:CHILD_OF]->(p:WBSNode)
      WHERE p.nodeType <> 'project'
      WITH p, count(c) AS k
      WHERE k = 1
      RETURN p.code`,
    message: 'WBS {p.code} has a single child',
    hint: 'lift the child, or find its sibling',
    atEndOf: ['wbs-extraction'],
  },
];
