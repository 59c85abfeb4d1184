/** Where the pages of a printed sheet end, so that a band is never parted from its first item. */

export interface PrintedRow {
  readonly heightPt: number;
  /** Belongs to the row below it. */
  readonly isBand: boolean;
}

/** Room for rows on an A4 page in landscape at the scale that makes the ITP one page wide, with something to spare. */
const PAGE_PT = 500;

/** Indexes of the rows behind which a page ends. `headPt` is the head that each page but the first repeats. */
export function pageBreaks(rows: readonly PrintedRow[], headPt: number): number[] {
  const breaks: number[] = [];
  let used = 0;
  for (const [at, { heightPt, isBand }] of rows.entries()) {
    const together = heightPt + (isBand ? (rows[at + 1]?.heightPt ?? 0) : 0);
    // A row that is taller than a page is split by whoever prints it.
    if (used + together > PAGE_PT && used > headPt) {
      breaks.push(at - 1);
      used = headPt;
    }
    used += heightPt;
  }
  return breaks;
}
