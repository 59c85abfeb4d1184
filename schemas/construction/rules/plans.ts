import type { CypherRule } from '../../rule.ts';

export const plansRules: readonly CypherRule[] = [
  {
    id: 'Q49',
    severity: 'blocker',
    group: 'plans',
    title: 'PQP, EMP, OHSMP and QSE exist once each',
    cypher: `
      UNWIND ['PQP','EMP','OHSMP','QSE'] AS t
      OPTIONAL MATCH (m:ManagementPlan {projectId: $projectId})
      WHERE m.planType = t
      WITH t, count(m) AS c
      WHERE c <> 1
      RETURN t AS planType, c`,
    message: '{c} plans of type {planType}; expected one',
    hint: 'run the missing task again',
  },
  {
    id: 'Q50',
    severity: 'blocker',
    group: 'plans',
    title: 'The PQP lists at least one required ITP',
    cypher: `
      MATCH (m:ManagementPlan {projectId: $projectId})
      WHERE m.planType = 'PQP' AND NOT EXISTS { MATCH (:ITPRequirement)-[:LISTED_IN]->(m) }
      RETURN m.docNo`,
    message: 'the quality plan {m.docNo} lists no required ITP',
    hint: 'read the list of required ITPs',
    atEndOf: ['pqp-generation'],
  },
  {
    id: 'Q52',
    severity: 'error',
    group: 'plans',
    title: 'No placeholder sections',
    cypher: `
      MATCH (s:PlanSection {projectId: $projectId})
      WHERE size(s.bodyMarkdown) < 40 OR toLower(s.bodyMarkdown) =~ '(?s).*(lorem ipsum|tbc|tbd|insert here|\\\\[.*name.*\\\\]).*'
      RETURN s.planType, s.sectionNo`,
    message: 'section {s.sectionNo} of the {s.planType} is a placeholder',
    hint: 'write the section or leave it out',
    atEndOf: ['pqp-generation', 'emp-generation', 'ohsmp-generation', 'qse-generation'],
  },
  {
    id: 'Q53',
    severity: 'error',
    group: 'plans',
    title: 'High risk construction work has a SWMS reference',
    cypher: `
      MATCH (h:SafetyHazard {projectId: $projectId})
      WHERE h.highRiskConstructionWork AND (h.swmsRef IS NULL OR trim(h.swmsRef) = '')
      RETURN h.hazardNo`,
    message: 'the high risk work {h.hazardNo} names no SWMS',
    hint: 'name the SWMS',
    atEndOf: ['ohsmp-generation'],
  },
  {
    id: 'Q54',
    severity: 'error',
    group: 'plans',
    title: 'Every environmental aspect has a control and a responsible role; the EMP has at least one',
    cypher: `
      MATCH (m:ManagementPlan {projectId: $projectId})
      WHERE m.planType = 'EMP'
      OPTIONAL MATCH (a:EnvironmentalAspect)-[:IDENTIFIED_IN]->(m)
      WITH m, collect(a) AS aspects
      WHERE size(aspects) = 0 OR any(a IN aspects
      WHERE a.control IS NULL OR a.responsibleRole IS NULL)
      RETURN m.docNo, size(aspects)`,
    message:
      'the plan {m.docNo} has no environmental aspect, or one without control or responsible role ({size(aspects)} aspects)',
    hint: 'complete the aspect',
    atEndOf: ['emp-generation'],
  },
];
