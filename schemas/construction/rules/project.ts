import type { CypherRule } from '../../rule.ts';

export const projectRules: readonly CypherRule[] = [
  {
    id: 'Q07',
    severity: 'error',
    group: 'project',
    title: 'contractDate <= possessionOfSiteDate < practicalCompletionDate',
    cypher: `
      MATCH (p:Project {projectId: $projectId})
      WHERE p.possessionOfSiteDate < p.contractDate OR p.practicalCompletionDate <= p.possessionOfSiteDate
      RETURN p.contractDate, p.possessionOfSiteDate, p.practicalCompletionDate`,
    message:
      'contract {p.contractDate}, possession of site {p.possessionOfSiteDate} and practical completion {p.practicalCompletionDate} do not follow each other',
    hint: 're-read the contract particulars; day before month',
    atEndOf: ['project-details'],
  },
  {
    id: 'Q08',
    severity: 'error',
    group: 'project',
    title: 'A principal-side releasing party and a contractor are named',
    cypher: `
      MATCH (p:Project {projectId: $projectId})
      WHERE NOT EXISTS {
      MATCH (a:Party {projectId: $projectId}) WHERE a.contractRole IN ['superintendent','administrator','principals-authorised-person','principal'] } OR NOT EXISTS {
      MATCH (c:Party {projectId: $projectId}) WHERE c.contractRole = 'contractor' }
      RETURN p.projectId`,
    message: "project {p.projectId} names no releasing party of the principal's side, or no contractor",
    hint: 'add the missing party',
    atEndOf: ['project-details'],
  },
];
