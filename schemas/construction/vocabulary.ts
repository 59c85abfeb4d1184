/** Closed lists that several entities share. */

export const JURISDICTIONS = ['NSW', 'VIC', 'QLD', 'SA', 'WA', 'TAS', 'NT', 'ACT'] as const;

export const JURISDICTION_NAMES = {
  'New South Wales': 'NSW',
  Victoria: 'VIC',
  Queensland: 'QLD',
  'South Australia': 'SA',
  'Western Australia': 'WA',
  Tasmania: 'TAS',
  'Northern Territory': 'NT',
  'Australian Capital Territory': 'ACT',
} as const;

export const PLAN_TYPES = ['PQP', 'EMP', 'OHSMP', 'QSE'] as const;

/** The task that writes the plan of each type. */
export const PLAN_TASKS = {
  PQP: 'pqp-generation',
  EMP: 'emp-generation',
  OHSMP: 'ohsmp-generation',
  QSE: 'qse-generation',
} as const satisfies Record<(typeof PLAN_TYPES)[number], string>;

export const RISKS = ['low', 'medium', 'high', 'extreme'] as const;
