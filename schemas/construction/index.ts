/**
 * The master schema of construction quality: what the documents of an Australian road or bridge contract say, and the
 * plans that are written from them.
 */
import { defineSchema, type EntityDefinition } from '../define.ts';
import { acceptanceCriterion } from './acceptance-criterion.ts';
import { areaCode } from './area-code.ts';
import { common } from './common.ts';
import { controlPoint } from './control-point.ts';
import { document } from './document.ts';
import { documentRevision } from './document-revision.ts';
import { environmentalAspect } from './environmental-aspect.ts';
import { evidence } from './evidence.ts';
import { inspectionPoint } from './inspection-point.ts';
import { itpRequirement } from './itp-requirement.ts';
import { itpTemplate } from './itp-template.ts';
import { lbsNode } from './lbs-node.ts';
import { managementPlan } from './management-plan.ts';
import { party } from './party.ts';
import { planSection } from './plan-section.ts';
import { project } from './project.ts';
import { breakdownRelationships } from './relationships/breakdown.ts';
import { itpRelationships } from './relationships/itp.ts';
import { planRelationships } from './relationships/plans.ts';
import { registerRelationships } from './relationships/register.ts';
import { belongsToProject, provenanceRelationships } from './relationships/scope.ts';
import { rules } from './rules/index.ts';
import { safetyHazard } from './safety-hazard.ts';
import { scoring } from './scoring.ts';
import { sourceFile } from './source-file.ts';
import { standard } from './standard.ts';
import { wbsNode } from './wbs-node.ts';
import { workType } from './work-type.ts';

const entities: readonly EntityDefinition[] = [
  project,
  party,
  workType,
  areaCode,
  sourceFile,
  document,
  documentRevision,
  standard,
  wbsNode,
  lbsNode,
  managementPlan,
  planSection,
  itpRequirement,
  controlPoint,
  itpTemplate,
  inspectionPoint,
  acceptanceCriterion,
  environmentalAspect,
  safetyHazard,
  evidence,
];

export const construction = defineSchema({
  name: 'construction',
  version: '1.0.0',
  description: 'Quality, environment and safety of an Australian road or bridge contract, read from its documents.',
  scope: 'projectId',
  entities,
  relationships: [
    ...belongsToProject(entities.map(({ name }) => name)),
    ...registerRelationships,
    ...breakdownRelationships,
    ...planRelationships,
    ...itpRelationships,
    ...provenanceRelationships,
  ],
  common,
  rules,
  scoring,
  provenance: {
    entity: 'Evidence',
    relationship: 'EVIDENCED_BY',
    sourceEntity: 'SourceFile',
    inSource: 'IN_SOURCE',
    assumedAttribute: 'assumed',
  },
});

export default construction;
