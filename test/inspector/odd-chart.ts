/** A machine with everything that muster's own charts lack: parallel regions, history, wildcards, nested endings. */
import { and, fromPromise, not, setup } from 'xstate';

export const oddMachine = setup({
  types: { events: {} as { type: 'start' | 'pause' | 'resume' | 'sync.lost' | 'left' | 'right' | 'noise' } },
  actors: { upload: fromPromise(() => new Promise<void>(() => {})) },
  guards: { ready: () => true, tired: () => false },
  delays: { patience: 1_000 },
  actions: { note: () => {} },
}).createMachine({
  id: 'odd',
  initial: 'idle',
  on: { 'sync.*': { target: '.idle', reenter: true }, '*': { actions: 'note' } },
  states: {
    idle: { on: { start: [{ guard: and(['ready', not('tired')]), target: 'both' }, { target: 'refused' }] } },
    both: {
      type: 'parallel',
      on: { pause: 'paused', noise: {} },
      states: {
        left: {
          initial: 'one',
          states: { one: { after: { patience: 'two' }, on: { left: 'two' } }, two: { type: 'final' } },
        },
        right: {
          initial: 'one',
          states: {
            one: { invoke: { src: 'upload', onDone: 'two', onError: '#odd.refused' }, on: { right: 'two' } },
            two: { type: 'final' },
          },
        },
        memory: { type: 'history', history: 'deep' },
      },
      onDone: { target: 'finished', actions: 'note' },
    },
    paused: { on: { resume: 'both.memory' }, after: { 5000: 'refused' } },
    finished: { type: 'final' },
    refused: { type: 'final', entry: 'note' },
  },
});
