import type { CypherRule } from '../../rule.ts';

export const authorityRules: readonly CypherRule[] = [
  {
    id: 'Q55',
    severity: 'blocker',
    group: 'authority',
    title: 'Agents never approve: generated plans and ITPs are drafts',
    cypher: `
      MATCH (n {projectId: $projectId})
      WHERE (n:ITPTemplate OR n:ManagementPlan) AND n.status <> 'draft' AND coalesce(n.reviewStatus, 'unreviewed') = 'unreviewed'
      RETURN labels(n) AS label, n.docNo AS docNo, n.status AS status`,
    message: '{label} {docNo} has status {status} without a review',
    hint: 'set status draft',
    atEndOf: ['*'],
  },
  {
    id: 'Q56',
    severity: 'error',
    group: 'links',
    title: 'No late key dangles after the run (work types of requirements, ITP numbers of control points)',
    cypher: `
      MATCH (q:ITPRequirement {projectId: $projectId})
      WHERE NOT EXISTS {
      MATCH (w:WorkType {projectId: $projectId}) WHERE w.code = q.workTypeCode }
      RETURN 'ITPRequirement' AS entity, q.docNo AS key, q.workTypeCode AS missing
      UNION
      MATCH (c:ControlPoint {projectId: $projectId})
      WHERE c.itpDocNo IS NOT NULL AND NOT EXISTS {
      MATCH (q:ITPRequirement {projectId: $projectId}) WHERE q.docNo = c.itpDocNo }
      RETURN 'ControlPoint' AS entity, c.pointNo AS key, c.itpDocNo AS missing`,
    message: '{entity} {key} names {missing}, which does not exist',
    hint: 'correct the key, or add what it names',
  },
  {
    id: 'Q57',
    severity: 'warning',
    group: 'review',
    title: 'Low confidence (< 0.6) nodes are reviewed',
    cypher: `
      MATCH (n {projectId: $projectId})
      WHERE n.confidence < 0.6 AND coalesce(n.reviewStatus, 'unreviewed') = 'unreviewed'
      RETURN labels(n) AS label, coalesce(n.code, n.docNo, n.pointNo) AS key, n.confidence AS confidence`,
    message: '{label} {key} is unsure ({confidence}) and not reviewed',
    hint: 'review',
  },
  {
    id: 'Q58',
    severity: 'warning',
    group: 'links',
    title: 'Lot number format uses only defined tokens',
    cypher: `
      MATCH (p:Project {projectId: $projectId})
      WHERE p.lotNumberFormat IS NOT NULL
      WITH p, replace(replace(p.lotNumberFormat, '{workType}', ''), '{areaCode}', '') AS rest
      WHERE NOT p.lotNumberFormat CONTAINS '{workType}' OR NOT rest =~ '[^{}]*[{]seq:0+[}][^{}]*'
      RETURN p.lotNumberFormat`,
    message: 'the lot number format "{p.lotNumberFormat}" does not consist of defined tokens',
    hint: 'rebuild the template from the example in the contract',
    atEndOf: ['project-details'],
  },
];
