/** The 58 quality rules of the construction pack. */
import type { QualityRule } from '../../rule.ts';
import { authorityRules } from './authority.ts';
import { demandedTopics } from './demanded-topics.ts';
import { documentsRules } from './documents.ts';
import { identityRules } from './identity.ts';
import { itemsRules } from './items.ts';
import { itpCoverageRules } from './itp-coverage.ts';
import { lbsRules } from './lbs.ts';
import { plansRules } from './plans.ts';
import { pointsRules } from './points.ts';
import { projectRules } from './project.ts';
import { quotesStand } from './quotes-stand.ts';
import { standardsRules } from './standards.ts';
import { titleRegister } from './title-register.ts';
import { wbsRules } from './wbs.ts';

export const rules: readonly QualityRule[] = [
  ...identityRules,
  quotesStand,
  ...projectRules,
  ...wbsRules,
  ...lbsRules,
  ...itpCoverageRules,
  ...pointsRules,
  ...itemsRules,
  ...standardsRules,
  titleRegister,
  ...documentsRules,
  ...plansRules,
  demandedTopics,
  ...authorityRules,
].sort((a, b) => (a.id < b.id ? -1 : 1));
