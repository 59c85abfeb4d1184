/** What is scored of an extraction of contract documents; free text, parties and evidence are not. */
import type { ScoredPart, Scoring } from '../scoring.ts';

const exact = (...names: readonly string[]) => names.map((attribute): ScoredPart => ({ attribute, compare: 'exact' }));
const norm = (attribute: string): ScoredPart => ({ attribute, compare: 'norm' });

const COVER = { entity: 'ITPRequirement', listAttribute: 'wbsHints' };

export const scoring: Scoring = {
  lists: [
    { name: 'workTypes', entity: 'WorkType', key: ['code'], attributes: ['description', 'specificationRef'] },
    {
      name: 'areaCodes',
      entity: 'AreaCode',
      key: ['code'],
      attributes: ['chainageStart', 'chainageEnd', 'controlLine'],
    },
    {
      name: 'documents',
      entity: 'Document',
      // What the agents write themselves is no finding.
      where: { origin: 'source' },
      key: ['docNo'],
      attributes: ['title', 'currentRevision', 'issueDate', 'docType'],
    },
    { name: 'standards', entity: 'Standard', key: ['code'], attributes: ['editionCited'] },
    { name: 'wbs', entity: 'WBSNode', key: ['code'], attributes: ['name', 'parentCode', 'quantity', 'unit'] },
    {
      name: 'lbs',
      entity: 'LBSNode',
      key: ['code'],
      attributes: ['name', 'parentCode', 'chainageStart', 'chainageEnd', 'areaCode'],
    },
    {
      name: 'controlPoints',
      entity: 'ControlPoint',
      key: ['pointNo'],
      attributes: ['pointType', 'releasingRole', 'noticeValue', 'noticeUnit', 'itpDocNo'],
    },
    {
      name: 'requiredItps',
      entity: 'ITPRequirement',
      key: ['docNo'],
      attributes: ['title', 'workTypeCode', 'specRef'],
    },
  ],
  pairs: [
    { name: 'lbs_wbs_mapping', pairs: { relationship: 'MAPPED_TO' } },
    { name: 'itp_wbs_cover', pairs: COVER },
    { name: 'itp_wbs_cover_drawn', pairs: COVER, extractionFrom: { relationship: 'COVERS_WBS' } },
  ],
  owners: [
    {
      entity: 'ITPTemplate',
      sets: [
        { name: 'items', along: ['HAS_POINT'], element: [norm('clauseRef'), ...exact('pointType')] },
        {
          name: 'numeric criteria',
          along: ['HAS_POINT', 'HAS_CRITERION'],
          where: { criterionType: 'quantitative' },
          element: [norm('sourceClause'), ...exact('comparator', 'value', 'minValue', 'maxValue', 'unit')],
        },
        { name: 'control points', along: ['HAS_POINT'], element: exact('controlPointNo'), skipEmpty: true },
      ],
    },
  ],
};
