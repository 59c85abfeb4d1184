/**
 * A writer in a process of its own: MODE TARGET NAME. `upsert`: 500 shared keys in ten batches. `batches`: whole batches
 * until killed. `huge`: one batch of NAME nodes and an update of the item `locked`.
 */
import { openGraph } from '../../src/graph/open-graph.ts';
import { contractSchema, keyProperties } from './contract-schema.ts';

const [mode, target, name = ''] = process.argv.slice(2);
const store = await openGraph(target!, { schema: contractSchema, env: process.env });
const node = (entity: string, key: readonly (string | number)[], properties = {}) => ({
  entity,
  key,
  properties: { ...keyProperties(key), ...properties },
});

if (mode === 'upsert') {
  for (let batch = 0; batch < 10; batch += 1) {
    await store.commit({
      runId: name,
      task: name,
      nodes: Array.from({ length: 50 }, (_, at) => node('Item', ['P', `${batch}.${at}`], { [name]: `${batch}.${at}` })),
      relationships: [],
    });
  }
  await store.close();
} else if (mode === 'huge') {
  const nodes = Array.from({ length: Number(name) }, (_, at) => node('Huge', ['P', at], { text: 'x'.repeat(200) }));
  await store.commit({
    runId: 'R',
    task: 'writer',
    nodes: [...nodes, node('Item', ['P', 'locked'], { touched: true })],
    relationships: [],
  });
  console.log('done');
} else {
  for (let batch = 1; ; batch += 1) {
    const keys = Array.from({ length: 20 }, (_, at) => ['P', `${batch}.${at}`]);
    await store.commit({
      runId: 'R',
      task: 'writer',
      nodes: [node('Batch', ['P', batch]), ...keys.map((key) => node('Item', key, { batch }))],
      relationships: keys.map((key) => ({
        type: 'PART_OF',
        from: { entity: 'Item', key },
        to: { entity: 'Batch', key: ['P', batch] },
      })),
    });
    console.log(batch);
  }
}
