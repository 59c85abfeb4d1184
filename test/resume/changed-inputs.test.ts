import { describe, expect, it } from 'vitest';
import { changedInputs, isOutdated, type PresentInputs } from '../../src/resume/changed-inputs.ts';
import type { RunStarted } from '../../src/resume/known-run.ts';

const parts = { prompt: 'p1', schema: 's1', settings: 'x1', model: 'm', tools: 't1', 'document documents/a.md': 'a1' };
const started: RunStarted = {
  seq: 1,
  time: '2026-01-01T00:00:00.000Z',
  type: 'run.started',
  runId: 'r',
  musterVersion: '1',
  projectId: 'P',
  manifest: { name: 'm', path: '/m', sha256: 'bytes-1' },
  schema: { name: 's', version: '1' },
  documents: [{ path: 'documents/a.md', sha256: 'a1', bytes: 1 }],
  model: 'p/m',
  rehearsal: false,
  gating: 'ready',
  concurrency: 1,
  tasks: [],
  inputs: { words: parts },
};
const now: PresentInputs = {
  manifestSha256: 'bytes-1',
  schema: { name: 's', version: '1' },
  model: 'p/m',
  documents: [{ path: 'documents/a.md', sha256: 'a1' }],
  tasks: { words: parts },
};

describe('the inputs of a run that goes on', () => {
  it('are the same when nothing changed that counts: not the bytes of the manifest, not the tools of a later version', () => {
    expect(changedInputs(started, now)).toEqual([]);
    const later = { ...now, manifestSha256: 'bytes-2', tasks: { words: { ...parts, tools: 't2' } } };
    expect(changedInputs(started, later)).toEqual([]);
  });

  it('differ by each thing that counts, told by name', () => {
    expect(
      changedInputs(started, {
        ...now,
        schema: { name: 's', version: '2' },
        model: 'p/other',
        documents: [
          { path: 'documents/a.md', sha256: 'a2' },
          { path: 'documents/b.md', sha256: 'b1' },
        ],
        tasks: {
          words: { ...parts, prompt: 'p2', settings: 'x2', 'document documents/a.md': 'a2' },
          more: parts,
        },
      }),
    ).toEqual([
      'the schema was s 1, is s 2',
      'the model was p/m, is p/other',
      'documents/a.md changed',
      'documents/b.md added',
      'task words: prompt changed, settings changed',
      'task more is new',
    ]);
    expect(changedInputs(started, { ...now, documents: [], tasks: {} })).toEqual([
      'documents/a.md removed',
      'task words is gone',
    ]);
  });

  it('of an earlier journal without parts are compared by the bytes of the manifest', () => {
    const { inputs: _, ...old } = started;
    expect(changedInputs(old, now)).toEqual([]);
    expect(changedInputs(old, { ...now, manifestSha256: 'bytes-2' })).toEqual(['the manifest was edited']);
  });
});

describe('an attempt that is not finished', () => {
  it('is outdated when anything that it was made from changed, but not by the tools of a later version', () => {
    expect(isOutdated(parts, parts)).toBe(false);
    expect(isOutdated(parts, { ...parts, tools: 't2' })).toBe(false);
    for (const part of ['prompt', 'schema', 'settings', 'model', 'document documents/a.md']) {
      expect(isOutdated(parts, { ...parts, [part]: 'other' }), part).toBe(true);
    }
    expect(isOutdated(parts, { ...parts, 'upstream Word': 'u1' })).toBe(true);
  });

  it('goes on when nobody knows what it was made from', () => {
    expect(isOutdated(undefined, parts)).toBe(false);
  });
});
