import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameOfHistoryRow, parentOf, parseFrame } from '../../src/opencode/frames.ts';

const json = (value: unknown) => JSON.stringify(value);

describe('parseFrame', () => {
  it('takes an event out of the global envelope, and out of none', () => {
    const event = { id: 'evt_1', type: 'session.idle', properties: { sessionID: 'ses_1' } };
    const raw = json({ directory: '/w', project: 'p', payload: event });
    expect(parseFrame(raw)).toEqual({
      id: 'evt_1',
      directory: '/w',
      type: 'session.idle',
      sessionId: 'ses_1',
      seq: undefined,
      isSyncCopy: false,
      properties: { sessionID: 'ses_1' },
      raw,
    });
    expect(parseFrame(json(event))).toMatchObject({ id: 'evt_1', directory: undefined, sessionId: 'ses_1' });
  });

  it('turns a sync copy and a history row into the event they repeat', () => {
    const data = { sessionID: 'ses_1', info: { id: 'msg_1' } };
    const syncEvent = { id: 'evt_1', type: 'message.updated.1', seq: 14, aggregateID: 'ses_1', data };
    const copy = parseFrame(json({ directory: '/w', payload: { type: 'sync', id: 'evt_1', syncEvent } }));
    const row = frameOfHistoryRow(
      { id: 'evt_1', aggregate_id: 'ses_1', seq: 14, type: 'message.updated.1', data },
      '/w',
    );
    expect(copy).toMatchObject({ id: 'evt_1', type: 'message.updated', sessionId: 'ses_1', seq: 14, properties: data });
    expect({ ...row, raw: copy!.raw }).toEqual(copy);
  });

  it('lets unknown kinds and frames without directory or session pass', () => {
    expect(parseFrame('{"payload":{"id":"evt_1","type":"server.heartbeat","properties":{}}}')).toMatchObject({
      type: 'server.heartbeat',
      directory: undefined,
      sessionId: undefined,
    });
    expect(parseFrame('{"payload":{"type":"session.next.thing"}}')).toMatchObject({ type: 'session.next.thing' });
  });

  it.each([
    ['', 'nothing'],
    ['{"payload":', 'half a frame'],
    ['null', 'null'],
    ['[]', 'a list'],
    ['{}', 'no type'],
    ['{"payload":{"type":7}}', 'a type that is no text'],
    ['{"payload":{"type":"sync"}}', 'a copy of nothing'],
    ['{"payload":{"type":"sync","syncEvent":{"type":"a.1","data":null}}}', 'a copy without data'],
  ])('%s is no frame (%s)', (raw) => {
    expect(parseFrame(raw)).toBeUndefined();
  });

  it('never throws, and always returns a frame with a type or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (raw) => {
        const frame = parseFrame(raw);
        if (frame !== undefined) expect(typeof frame.type).toBe('string');
      }),
    );
  });

  it('keeps a sequence number only when it is one', () => {
    const copy = (seq: unknown) =>
      parseFrame(json({ payload: { type: 'sync', syncEvent: { type: 'a.1', aggregateID: 's', seq, data: {} } } }));
    expect([0, 7, -1, 1.5, '3', null].map((seq) => copy(seq)!.seq)).toEqual([
      0,
      7,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('parentOf', () => {
  it('reads the parent of a child from its creation and from its updates, and from nothing else', () => {
    const frame = (type: string) =>
      parseFrame(json({ type, properties: { sessionID: 'c', info: { parentID: 'p' } } }))!;
    expect(['session.created', 'session.updated', 'message.updated'].map((type) => parentOf(frame(type)))).toEqual([
      'p',
      'p',
      undefined,
    ]);
  });
});
