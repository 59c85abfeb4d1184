import type { CypherRule } from '../../rule.ts';

export const documentsRules: readonly CypherRule[] = [
  {
    id: 'Q47',
    severity: 'error',
    group: 'documents',
    title: 'Exactly one current revision; revision dates rise',
    cypher: `
      MATCH (d:Document {projectId: $projectId})
      WHERE d.origin = 'source'
      OPTIONAL MATCH (r:DocumentRevision {projectId: $projectId})
      WHERE r.docNo = d.docNo AND r.isCurrent = true
      WITH d, count(r) AS c
      WHERE c <> 1
      RETURN d.docNo, c`,
    message: 'document {d.docNo} has {c} current revisions; expected one',
    hint: 'mark the latest as current',
    atEndOf: ['document-metadata'],
    also: [
      {
        cypher: `
          MATCH (r:DocumentRevision {projectId: $projectId}), (o:DocumentRevision {projectId: $projectId})
          WHERE r.docNo = o.docNo AND r.isCurrent = true AND o.isCurrent = false AND o.revisionDate > r.revisionDate
          RETURN r.docNo, r.revision, o.revision`,
        message: 'revision {o.revision} of {r.docNo} is dated after the current revision {r.revision}',
        atEndOf: ['document-metadata'],
      },
      {
        cypher: `
          MATCH (r:DocumentRevision {projectId: $projectId})-[:REVISION_OF]->(d:Document)
          WHERE r.isCurrent = true AND r.revision <> d.currentRevision
          RETURN d.docNo, d.currentRevision, r.revision`,
        message: 'document {d.docNo} says revision {d.currentRevision}, but its current revision is {r.revision}',
        atEndOf: ['document-metadata'],
      },
    ],
  },
  {
    id: 'Q48',
    severity: 'error',
    group: 'documents',
    title: 'Every source file is described by a Document',
    cypher: `
      MATCH (f:SourceFile {projectId: $projectId})
      WHERE NOT (:Document)-[:DESCRIBES]->(f)
      RETURN f.path`,
    message: 'no Document describes the file {f.path}',
    hint: 'describe the file',
    atEndOf: ['document-metadata'],
  },
];
