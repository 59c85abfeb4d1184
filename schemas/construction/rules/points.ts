import type { CypherRule } from '../../rule.ts';

export const pointsRules: readonly CypherRule[] = [
  {
    id: 'Q28',
    severity: 'blocker',
    group: 'points',
    title: "A principal-class hold point is released by the principal's side, never by the contractor",
    cypher: `
      MATCH (c:ControlPoint {projectId: $projectId})
      WHERE c.pointType = 'HOLD' AND c.pointClass = 'principal' AND (c.releasingRole IS NULL OR NOT c.releasingRole IN ['principal','principals-authorised-person','superintendent','administrator'])
      RETURN c.pointNo, c.releasingRole`,
    message: "the principal's hold point {c.pointNo} is released by {c.releasingRole}",
    hint: 'name the releasing role of the contract',
    atEndOf: ['pqp-generation'],
    also: [
      {
        cypher: `
          MATCH (i:InspectionPoint {projectId: $projectId})-[:IMPLEMENTS]->(c:ControlPoint)
          WHERE c.pointType = 'HOLD' AND c.pointClass = 'principal' AND (i.releasedByRole IS NULL OR NOT i.releasedByRole IN ['principal','principals-authorised-person','superintendent','administrator'])
          RETURN i.docNo, i.itemNo, i.releasedByRole, c.pointNo`,
        message:
          "the item {i.docNo} / {i.itemNo} for the principal's hold point {c.pointNo} is released by {i.releasedByRole}",
        atEndOf: ['itp-generation'],
      },
    ],
  },
  {
    id: 'Q29',
    severity: 'error',
    group: 'points',
    title: 'Every HOLD item has a releaser, a notice period and a release record',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE i.pointType = 'HOLD' AND (i.releasedByRole IS NULL OR i.noticeValue IS NULL OR i.noticeUnit IS NULL OR i.recordName IS NULL OR trim(i.recordName) = '')
      RETURN i.docNo, i.itemNo`,
    message: 'the HOLD item {i.docNo} / {i.itemNo} lacks a releaser, a notice period or a release record',
    hint: 'complete the item from the hold point schedule',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q30',
    severity: 'error',
    group: 'points',
    title: 'A WITNESS item has a notice period and no releaser',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE i.pointType = 'WITNESS' AND (i.noticeValue IS NULL OR i.releasedByRole IS NOT NULL)
      RETURN i.docNo, i.itemNo`,
    message: 'the WITNESS item {i.docNo} / {i.itemNo} lacks a notice period, or has a releaser',
    hint: 'remove the releaser, add the notice',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q31',
    severity: 'blocker',
    group: 'points',
    title: 'Every contract hold/witness point assigned to an ITP is implemented there by an item of the same type',
    cypher: `
      MATCH (c:ControlPoint {projectId: $projectId})
      WHERE c.itpDocNo IS NOT NULL AND NOT EXISTS { MATCH (i:InspectionPoint)-[:IMPLEMENTS]->(c) WHERE i.docNo = c.itpDocNo AND i.pointType = c.pointType }
      RETURN c.pointNo, c.pointType, c.itpDocNo`,
    message: 'no item of {c.itpDocNo} implements {c.pointNo} ({c.pointType})',
    hint: 'add the item',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q32',
    severity: 'error',
    group: 'points',
    title: 'Who performs an item does not release it',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE i.pointType = 'HOLD' AND i.performedByRole = i.releasedByRole
      RETURN i.docNo, i.itemNo`,
    message: 'the item {i.docNo} / {i.itemNo} is released by who performs it',
    hint: 'name another performer or releaser',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q33',
    severity: 'warning',
    group: 'points',
    title: 'Notice in the ITP is not shorter than in the contract',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})-[:IMPLEMENTS]->(c:ControlPoint)
      WHERE i.noticeUnit = c.noticeUnit AND i.noticeValue < c.noticeValue
      RETURN i.docNo, i.itemNo, i.noticeValue, c.noticeValue`,
    message: 'the item {i.docNo} / {i.itemNo} gives notice of {i.noticeValue}; the contract asks for {c.noticeValue}',
    hint: 'take the notice of the contract',
    atEndOf: ['itp-generation'],
  },
];
