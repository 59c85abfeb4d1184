import type { CodeRule } from '../../rule.ts';

/**
 * What each plan must cover: the headings that Australian road authorities demand (quality: TfNSW Q6; environment: G36;
 * work health and safety: G22). A contract may demand more; that is for its reviewer.
 */
const DEMANDED: Readonly<Record<string, readonly string[]>> = {
  PQP: [
    'scope and objectives',
    'organisation, the quality manager and authority to stop work',
    'document and record control',
    'design change and request for information',
    'purchasing and subcontractors',
    'process control',
    'the ITP register',
    'lots and traceability',
    'inspection, sampling and testing',
    'hold points and witness points',
    'measuring equipment',
    'nonconformity and corrective action',
    'internal audit',
    'handover records',
  ],
  EMP: [
    'policy and objectives',
    'roles',
    'an aspects and impacts register',
    'legal and other requirements',
    'erosion and sediment control plans',
    'monitoring',
    'incident response',
    'training',
    'inspections, audit and review',
  ],
  OHSMP: [
    'names and responsibilities of persons with safety roles',
    'consultation and coordination',
    'incident management',
    'site rules',
    'collection and review of safe work method statements',
    'training and induction',
    'emergency response',
    'plant',
    'monitoring',
  ],
};

/** Words that say nothing about a topic. */
const EMPTY_WORDS = new Set(['the', 'and', 'an', 'of', 'for', 'to', 'with', 'other', 'plan', 'plans', 'work']);

/** Main words of a text, cut to their stems: "inspections" and "inspection" are one. */
function mainWords(text: string): readonly string[] {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.filter((word) => !EMPTY_WORDS.has(word)).map((word) => word.replace(/(?:ies|y|s|ing)$/, ''));
}

/** A heading answers a topic when it holds at least half of the topic's main words. */
function answers(heading: string, topic: string): boolean {
  const held = new Set(mainWords(heading));
  const wanted = mainWords(topic);
  return wanted.filter((word) => held.has(word)).length * 2 >= wanted.length;
}

export const demandedTopics: CodeRule = {
  id: 'Q51',
  severity: 'error',
  group: 'plans',
  title: 'Every topic the contract demands is answered by a section',
  message: 'the {planType} has no section on "{topic}"',
  hint: 'add the section',
  atEndOf: ['pqp-generation', 'emp-generation', 'ohsmp-generation'],
  check: ({ nodes }) => {
    const present = nodes.flatMap(({ entity, properties }) =>
      entity === 'ManagementPlan' ? [properties['planType']] : [],
    );
    return Object.entries(DEMANDED)
      .filter(([planType]) => present.includes(planType))
      .flatMap(([planType, topics]) => {
        const headings = nodes.flatMap(({ entity, properties }) =>
          entity === 'PlanSection' && properties['planType'] === planType ? [String(properties['heading'])] : [],
        );
        const missing = topics.filter((topic) => !headings.some((heading) => answers(heading, topic)));
        return missing.map((topic) => ({ planType, topic }));
      });
  },
};
