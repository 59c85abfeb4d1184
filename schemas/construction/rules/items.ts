import type { CypherRule } from '../../rule.ts';

export const itemsRules: readonly CypherRule[] = [
  {
    id: 'Q34',
    severity: 'error',
    group: 'items',
    title: 'Every item cites a document and clause; generic phrases are rejected',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE i.clauseRef IS NULL OR NOT i.clauseRef =~ '.*[0-9].*' OR toLower(i.clauseRef) CONTAINS 'as per spec'
      RETURN i.docNo, i.itemNo, i.clauseRef`,
    message: 'the item {i.docNo} / {i.itemNo} cites "{i.clauseRef}", which is no document and clause',
    hint: 'cite document and clause',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q35',
    severity: 'error',
    group: 'items',
    title: 'Every item has at least one acceptance criterion',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE NOT EXISTS { MATCH (i)-[:HAS_CRITERION]->(:AcceptanceCriterion) }
      RETURN i.docNo, i.itemNo`,
    message: 'the item {i.docNo} / {i.itemNo} has no acceptance criterion',
    hint: 'add the criterion of the clause',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q36',
    severity: 'error',
    group: 'items',
    title: 'A quantitative criterion has parameter, comparator, unit and limits in order',
    cypher: `
      MATCH (a:AcceptanceCriterion {projectId: $projectId})
      WHERE a.criterionType = 'quantitative' AND (a.parameter IS NULL OR a.comparator IS NULL OR a.unit IS NULL OR (a.value IS NULL AND (a.minValue IS NULL OR a.maxValue IS NULL)) OR a.minValue > a.maxValue)
      RETURN a.docNo, a.itemNo, a.seq`,
    message: 'the criterion {a.docNo} / {a.itemNo} / {a.seq} lacks parameter, comparator, unit or limits in order',
    hint: 'complete the criterion',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q37',
    severity: 'error',
    group: 'items',
    title: 'No vague criterion',
    cypher: `
      MATCH (a:AcceptanceCriterion {projectId: $projectId})
      WHERE toLower(a.text) =~ '.*(as per spec|to (the )?(engineer|superintendent|administrator).?s satisfaction|as required|good (workmanship|condition)|where applicable).*'
      RETURN a.docNo, a.itemNo, a.text`,
    message: 'the criterion of {a.docNo} / {a.itemNo} is vague: {a.text}',
    hint: 'write the measurable requirement',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q38',
    severity: 'error',
    group: 'items',
    title: 'A test item names a test method that is a known standard',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      WHERE i.method STARTS
      WITH 'test' AND NOT EXISTS {
      MATCH (s:Standard {projectId: $projectId}) WHERE s.code = i.testMethodCode }
      RETURN i.docNo, i.itemNo, i.testMethodCode`,
    message: 'the test item {i.docNo} / {i.itemNo} names the method {i.testMethodCode}, which is no known standard',
    hint: 'name the test method of the specification',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q39',
    severity: 'error',
    group: 'items',
    title: 'Item numbers are unique and stages do not run backwards',
    cypher: `
      MATCH (a:InspectionPoint {projectId: $projectId}), (b:InspectionPoint {projectId: $projectId})
      WHERE a.docNo = b.docNo AND toFloat(a.itemNo) < toFloat(b.itemNo) AND CASE a.stage WHEN 'preliminaries' THEN 1 WHEN 'materials' THEN 2 WHEN 'pre-construction' THEN 3 WHEN 'construction' THEN 4 WHEN 'post-construction' THEN 5 ELSE 6 END > CASE b.stage WHEN 'preliminaries' THEN 1 WHEN 'materials' THEN 2 WHEN 'pre-construction' THEN 3 WHEN 'construction' THEN 4 WHEN 'post-construction' THEN 5 ELSE 6 END
      RETURN a.docNo, a.itemNo, b.itemNo`,
    message: '{a.docNo}: item {a.itemNo} is of a later stage than item {b.itemNo}, which follows it',
    hint: 'reorder or renumber',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q40',
    severity: 'warning',
    group: 'items',
    title: 'An ITP ends with a conformance item and has 5 to 60 items',
    cypher: `
      MATCH (t:ITPTemplate {projectId: $projectId})
      OPTIONAL MATCH (t)-[:HAS_POINT]->(i:InspectionPoint)
      WITH t, count(i) AS n, sum(CASE WHEN i.stage = 'conformance' THEN 1 ELSE 0 END) AS c
      WHERE n < 5 OR n > 60 OR c = 0
      RETURN t.docNo, n, c`,
    message: '{t.docNo} has {n} items, {c} of them for conformance; expected 5 to 60 with one for conformance',
    hint: 'add the lot conformance item; split or complete',
    atEndOf: ['itp-generation'],
  },
  {
    id: 'Q41',
    severity: 'warning',
    group: 'items',
    title: 'One clause does not give two different limits for the same parameter',
    cypher: `
      MATCH (a:AcceptanceCriterion {projectId: $projectId}), (b:AcceptanceCriterion {projectId: $projectId})
      WHERE a.sourceClause = b.sourceClause AND a.parameter = b.parameter AND a.unit = b.unit AND a.comparator = b.comparator AND a.docNo + a.itemNo < b.docNo + b.itemNo AND a.value <> b.value
      RETURN a.docNo, a.sourceClause, a.parameter, a.value, b.value`,
    message: '{a.docNo}: {a.sourceClause} gives {a.parameter} the limits {a.value} and {b.value}',
    hint: 'read the clause again; report a contradiction of the documents',
    atEndOf: ['itp-generation'],
  },
];
