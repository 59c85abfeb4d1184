import { expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { scoreGraph } from '../../src/score/score.ts';
import { scoreDetails, scoreTable } from '../../src/score/table.ts';
import { changed, truth } from './road-upgrade.ts';

const worse = changed(truth.graph, 'WBSNode', (node) =>
  node['code'] === '7.2' ? undefined : node['code'] === '5.1' ? { ...node, quantity: 169 } : node,
);
const score = scoreGraph(construction.scoring!, truth, worse);

it('the table has one row for each figure, in fixed columns, and ends with the totals', () => {
  const lines = scoreTable(score).split('\n');
  expect(lines).toHaveLength(1 + 14 + 1);
  expect(lines.find((line) => line.startsWith('wbs'))).toMatch(/^wbs +40 +39 +39 +1\.000 +0\.975 +0\.987 +0 +0\.992$/);
  expect(lines.at(-1)).toMatch(/^total +318 +317 +317 +1\.000 +0\.997 +0\.998 +0 +0\.998$/);
  expect(lines.at(-2)).toMatch(/^\(itp_wbs_cover_drawn\)/);
  const column = lines[0]!.indexOf('truth') + 'truth'.length;
  for (const line of lines.slice(1)) expect(line.slice(0, column)).toMatch(/\d$/);
});

it('the details say what was missed and what is wrong', () => {
  expect(scoreDetails(score)).toBe('wbs: 1 missed: 7.2\nwbs: 1 wrong attributes\n  5.1.quantity: 169 != 168');
});
