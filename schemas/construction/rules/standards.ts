import type { CypherRule } from '../../rule.ts';

export const standardsRules: readonly CypherRule[] = [
  {
    id: 'Q42',
    severity: 'error',
    group: 'standards',
    title: 'Every standard code used by ITPs or items resolves to a Standard',
    cypher: `
      MATCH (i:InspectionPoint {projectId: $projectId})
      UNWIND coalesce(i.standardCodes, []) AS c
      WITH i, c
      WHERE NOT EXISTS {
      MATCH (s:Standard {projectId: $projectId}) WHERE s.code = c }
      RETURN i.docNo, i.itemNo, c`,
    message: 'the item {i.docNo} / {i.itemNo} names {c}, which is no Standard',
    hint: 'use the canonical code; report a standard that is missing',
    atEndOf: ['itp-generation'],
    also: [
      {
        cypher: `
          MATCH (t:ITPTemplate {projectId: $projectId})
          UNWIND coalesce(t.specificationRefs, []) AS c
          WITH t, c
          WHERE NOT EXISTS {
          MATCH (s:Standard {projectId: $projectId}) WHERE s.code = c } AND NOT EXISTS {
          MATCH (d:Document {projectId: $projectId}) WHERE d.docNo = c }
          RETURN t.docNo, c`,
        message: '{t.docNo} names {c} as its specification, which is no Standard and no Document',
        // An agent of an ITP does not see the register of documents.
        atEndOf: [],
      },
    ],
  },
  {
    id: 'Q43',
    severity: 'error',
    group: 'standards',
    title: 'No two Standard nodes are the same standard (spaces, year, case ignored)',
    cypher: `
      MATCH (s:Standard {projectId: $projectId})
      WITH s, CASE WHEN s.code =~ '.*[-:](19|20)[0-9]{2}' THEN left(s.code, size(s.code) - 5) ELSE s.code END AS bare
      WITH toUpper(replace(bare, ' ', '')) AS k, collect(s.code) AS codes
      WHERE size(codes) > 1
      RETURN k, codes`,
    message: 'one standard under several codes: {codes}',
    hint: 'normalise the code',
    atEndOf: ['standards-extraction'],
  },
  {
    id: 'Q44',
    severity: 'warning',
    group: 'standards',
    title: 'A superseded or withdrawn standard is not referenced by an ITP',
    cypher: `
      MATCH (t:ITPTemplate {projectId: $projectId})-[:REFERENCES_STANDARD]->(s:Standard)
      WHERE s.status IN ['superseded','withdrawn']
      RETURN t.docNo, s.code, s.supersededByCode`,
    message: '{t.docNo} refers to {s.code}, which is superseded or withdrawn (successor: {s.supersededByCode})',
    hint: 'cite the successor, or report it',
  },
  {
    id: 'Q45',
    severity: 'warning',
    group: 'standards',
    title: "Road-authority specifications fit the project's specification set",
    cypher: `
      MATCH (p:Project {projectId: $projectId}), (s:Standard {projectId: $projectId})
      WHERE s.kind = 'specification' AND ((p.specificationSet = 'TfNSW' AND s.publisher IN ['TMR','DTP-VicRoads','DIT-SA','MRWA']) OR (p.specificationSet = 'TMR' AND s.publisher IN ['TfNSW','DTP-VicRoads','DIT-SA','MRWA']) OR (p.specificationSet = 'DTP-VicRoads' AND s.publisher IN ['TfNSW','TMR','DIT-SA','MRWA']))
      RETURN p.specificationSet, s.code`,
    message: '{s.code} does not belong to the specification set {p.specificationSet}',
    hint: 'check the reference',
  },
];
