/** Precision and recall of a set, and of sums of sets. */

export interface Counts {
  readonly truth: number;
  readonly found: number;
  readonly tp: number;
}

/** Ratios are rounded to three decimals; f1 is made of the unrounded ones. */
export interface Ratios extends Counts {
  /** `tp / found`; 0 when nothing was found. */
  readonly precision: number;
  /** `tp / truth`; 1 when there is nothing to find. */
  readonly recall: number;
  /** 0 when both are 0. */
  readonly f1: number;
}

export function countsOf(truth: ReadonlySet<string>, found: ReadonlySet<string>): Counts {
  return { truth: truth.size, found: found.size, tp: [...truth].filter((one) => found.has(one)).length };
}

export function ratiosOf({ truth, found, tp }: Counts): Ratios {
  const precision = found === 0 ? 0 : tp / found;
  const recall = truth === 0 ? 1 : tp / truth;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { truth, found, tp, precision: thousandths(precision), recall: thousandths(recall), f1: thousandths(f1) };
}

export function thousandths(ratio: number): number {
  return Math.round(ratio * 1_000) / 1_000;
}
