/** A score as text in fixed columns, so that the scores of two models or prompts can be laid side by side or diffed. */
import type { ListScore, Score, SetScore } from './score.ts';

const HEAD = ['', 'truth', 'found', 'right', 'precision', 'recall', 'f1', 'duplicates', 'attributes'];

/** The table, totals last; no colours, every column as wide as its widest cell. */
export function scoreTable({ lists, pairs, owned, extra, totals }: Score): string {
  const rows = [
    HEAD,
    ...lists.map((list) => [...cells(list), String(list.duplicates), accuracy(list.attributeAccuracy)]),
    ...[...pairs, ...owned].map((set) => [...cells(set), '', '']),
    ...extra.map((set) => [...cells({ ...set, name: `(${set.name})` }), '', '']),
    [...cells({ ...totals, name: 'total' }), String(totals.duplicates), accuracy(totals.attributeAccuracy)],
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What to look at: of each list what was missed, what was invented, and which attributes are wrong. */
export function scoreDetails({ lists }: Score): string {
  return lists
    .flatMap((list) => [
      ...named(list, 'missed', list.truth - list.tp),
      ...named(list, 'invented', list.found - list.tp),
      ...(list.wrong.length > 0 ? [`${list.name}: ${list.total - list.right} wrong attributes`] : []),
      ...list.wrong.map((line) => `  ${line}`),
    ])
    .join('\n');
}

function named(list: ListScore, what: 'missed' | 'invented', count: number): string[] {
  if (count === 0) return [];
  const more = count > list[what].length ? ' …' : '';
  return [`${list.name}: ${count} ${what}: ${list[what].join(', ')}${more}`];
}

function cells({ name, truth, found, tp, precision, recall, f1 }: SetScore): string[] {
  return [name, String(truth), String(found), String(tp), ...[precision, recall, f1].map(three)];
}

function accuracy(ratio: number | null): string {
  return ratio === null ? '-' : three(ratio);
}

function three(ratio: number): string {
  return ratio.toFixed(3);
}
