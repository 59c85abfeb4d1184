import Elk from 'elkjs/lib/elk.bundled.js';
import type { ELK } from 'elkjs/lib/elk-api.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeState } from '../../inspector/definition.ts';
import { type Chart, readChart } from '../../inspector/page/chart.ts';
import { LastMoves } from '../../inspector/page/last-move.ts';
import { type Box, layOut } from '../../inspector/page/layout.ts';
import { eventStreamMachine } from '../../machines/event-stream.ts';
import { orchestratorMachine } from '../../machines/orchestrator.ts';
import { serverMachine } from '../../machines/server.ts';
import { taskMachine } from '../../machines/task.ts';
import { oddMachine } from './odd-chart.ts';

const PANE = { width: 760, height: 760 };
const elk = new (Elk as unknown as new () => ELK)();
const charts = [orchestratorMachine, taskMachine, eventStreamMachine, serverMachine, oddMachine].map(
  (machine) => [machine.id, readChart(describeState(machine.config), machine.id)] as const,
);
const odd = charts.at(-1)![1];
const labels = (chart: Chart, from: string, to: string) =>
  chart.arrows.find((arrow) => arrow.from === from && arrow.to === to)?.labels;
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const inside = (inner: Box, outer: Box) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

describe('reading a chart', () => {
  it.each(charts)('%s: no target is left without a state', (_, chart) => {
    expect(chart.states.flatMap((state) => state.internal).filter((line) => line.includes('→'))).toEqual([]);
    const paths = new Set(chart.states.map((state) => state.path));
    for (const { from, to } of chart.arrows) expect([paths.has(from), paths.has(to)]).toEqual([true, true]);
  });

  it('resolves siblings, children, ids and what is in them as XState does', () => {
    expect(labels(odd, 'idle', 'both')).toEqual(['start [ready and not tired]']);
    expect(labels(odd, 'idle', 'refused')).toEqual(['start [else]']);
    expect(labels(odd, '', 'idle')).toEqual(['sync.*']);
    expect(labels(odd, 'both.right.one', 'refused')).toEqual(['upload failed']);
    expect(labels(odd, 'paused', 'both.memory')).toEqual(['resume']);
  });

  it('puts all events of one way on one arrow, delays and endings in words', () => {
    expect(labels(odd, 'both.left.one', 'both.left.two')).toEqual(['left', 'after patience']);
    expect(labels(odd, 'both.right.one', 'both.right.two')).toEqual(['right', 'upload done']);
    expect(labels(odd, 'paused', 'refused')).toEqual(['after 5 s']);
    expect(labels(odd, 'both', 'finished')).toEqual(['done']);
  });

  it('names what a state calls, takes without leaving, and ignores', () => {
    const state = (path: string) => odd.states.find((one) => one.path === path)!;
    expect(state('both.right.one').invokes).toEqual(['upload']);
    expect(state('').internal).toEqual(['*']);
    expect(state('both').notes).toEqual(['ignores noise']);
    expect(state('refused').notes).toEqual(['on entry: note']);
    expect(['both', 'both.memory', 'refused', 'both.left'].map((path) => state(path).kind)).toEqual([
      'parallel',
      'history',
      'final',
      'compound',
    ]);
  });
});

describe('laying a chart out', () => {
  it.each(charts)(
    '%s: children stand inside, siblings apart, every arrow and label has its place',
    async (_, chart) => {
      const layout = await layOut(elk, chart, (text) => text.length * 7, PANE);
      const boxes = new Map(layout.states.map((placed) => [placed.state.path, placed]));
      for (const placed of layout.states) {
        expect(placed.width * placed.height).toBeGreaterThan(0);
        const parent = placed.state.parent;
        if (parent !== undefined) expect(inside(placed, boxes.get(parent)!)).toBe(true);
        for (const other of layout.states) {
          if (other === placed || other.state.parent !== parent) continue;
          expect(overlap(placed, other), `${placed.state.path} and ${other.state.path}`).toBe(false);
        }
      }
      const leaves = layout.states.filter((placed) => placed.state.children.length === 0);
      for (const { arrow, points, label } of layout.arrows) {
        expect(points.length, arrow.id).toBeGreaterThan(1);
        expect(label === undefined).toBe(arrow.labels.every((line) => line === ''));
        for (const leaf of leaves)
          if (label) expect(overlap(label, leaf), `${arrow.id} on ${leaf.state.path}`).toBe(false);
      }
      expect(layout.starts.every(({ points }) => points.length > 1)).toBe(true);
    },
  );
});

describe('the arrow taken last', () => {
  const after = (type: string, value: string, before: string) => {
    const moves = new LastMoves();
    moves.apply({ seq: 1, at: 0, kind: 'state', actor: 'a', status: 'active', value: before });
    moves.apply({ seq: 2, at: 0, kind: 'event', actor: 'a', type });
    moves.apply({ seq: 3, at: 0, kind: 'state', actor: 'a', status: 'active', value });
    return moves.arrowOf('a', odd);
  };

  it.each([
    ['start', 'refused', 'idle', 'idle→refused'],
    ['sync.lost', 'idle', 'paused', '→idle'],
    ['xstate.after.5000.odd.paused', 'refused', 'paused', 'paused→refused'],
    ['resume', 'idle', 'paused', undefined],
  ])('after %s to %s', (type, value, before, arrow) => {
    expect(after(type, value, before)).toBe(arrow);
  });
});

describe('any chart', () => {
  /** Nested and parallel states with arrows from anywhere to anywhere. */
  const shapes = fc.record({
    parents: fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
    parallel: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
    arrows: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.string()), { maxLength: 14 }),
  });

  it('can be laid out', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ parents, parallel, arrows }) => {
        const states = Array.from(
          { length: parents.length + 1 },
          (_, i) => ({ id: `s${i}`, on: {} as never }) as Loose,
        );
        for (const [i, parent] of parents.entries()) {
          const above = states[parent % (i + 1)]!;
          above.states = { ...above.states, [`s${i + 1}`]: states[i + 1]! };
          if (parallel[parent % (i + 1)]) above.type = 'parallel';
          else above.initial ??= `s${i + 1}`;
        }
        for (const [from, to, type] of arrows) {
          states[from % states.length]!.on[type] = [{ target: `#s${to % states.length}` }];
        }
        const chart = readChart(describeState(states[0]), 's0');
        expect(chart.states).toHaveLength(states.length);
        const layout = await layOut(elk, chart, (text) => text.length * 7, PANE);
        expect(layout.width * layout.height).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });
});

interface Loose {
  id: string;
  type?: string;
  initial?: string;
  on: Record<string, { target: string }[]>;
  states?: Record<string, Loose>;
}
