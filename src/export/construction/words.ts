/** The words in which codes of the graph are printed for people. */
import type { Properties } from '../../../schemas/define.ts';

/** Confidence below this is marked. */
export const UNSURE_BELOW = 0.6;

export const STAGES: Readonly<Record<string, string>> = {
  preliminaries: 'Preliminaries',
  materials: 'Materials',
  'pre-construction': 'Pre-construction',
  construction: 'Construction',
  'post-construction': 'Post-construction',
  conformance: 'Conformance',
};

export const POINT_LETTERS: Readonly<Record<string, string>> = {
  HOLD: 'H',
  WITNESS: 'W',
  REVIEW: 'R',
  SURVEILLANCE: 'S',
  INSPECTION: 'I',
  TEST: 'T',
  MILESTONE: 'M',
};

export const LEGEND =
  'H hold point · W witness point · R review · S surveillance · I inspection · T test · † assumed: no passage of the documents supports it · ‡ unsure: confidence below 0.6';

const COMPARATORS: Readonly<Record<string, string>> = {
  lt: 'less than ',
  le: 'not more than ',
  eq: '',
  ge: 'at least ',
  gt: 'more than ',
};

/** Unit in print, with the space before it; none for ratios and counts, which have no unit. */
const UNITS: Readonly<Record<string, string>> = {
  '%': '%',
  degC: ' °C',
  't/m3': ' t/m³',
  m2: ' m²',
  m3: ' m³',
  ratio: '',
  count: '',
};

/** `site-engineer` → "Site engineer", `WHS` stays. */
export function words(code: string): string {
  const spaced = code.replaceAll('-', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The limit of a quantitative criterion: "not more than 10 mm", "5 to 15 mm"; empty when it has none. */
export function limitOf({ comparator, value, minValue, maxValue, unit }: Properties): string {
  const printed = typeof unit === 'string' ? (UNITS[unit] ?? ` ${unitOf(unit, value)}`) : '';
  if (comparator === 'between' || comparator === 'tolerance') {
    return typeof minValue === 'number' && typeof maxValue === 'number' ? `${minValue} to ${maxValue}${printed}` : '';
  }
  if (typeof comparator !== 'string' || typeof value !== 'number') return '';
  return `${COMPARATORS[comparator] ?? `${comparator} `}${value}${printed}`;
}

function unitOf(unit: string, value: unknown): string {
  const plural = value === 1 ? '' : 's';
  return unit === 'h' ? `hour${plural}` : unit === 'day' ? `day${plural}` : unit;
}

/** "15 working days", "4 hours"; empty without a notice. */
export function noticeOf({ noticeValue, noticeUnit }: Properties): string {
  if (typeof noticeValue !== 'number' || typeof noticeUnit !== 'string') return '';
  return `${noticeValue} ${noticeUnit.replaceAll('-', ' ')}${noticeValue === 1 ? '' : 's'}`;
}

/** "(a)" … "(z)", "(aa)" …; `at` counts from 0. */
export function letterOf(at: number): string {
  const letter = String.fromCharCode(97 + (at % 26));
  return at < 26 ? letter : `${letterOf(Math.floor(at / 26) - 1)}${letter}`;
}
