/** A writer in a process of its own. `upsert FILE NAME`: 500 shared keys in ten batches. `batches FILE`: whole batches until killed. */
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';

const [mode, file, name = ''] = process.argv.slice(2);
const store = openEmbeddedGraph(file!);

if (mode === 'upsert') {
  for (let batch = 0; batch < 10; batch += 1) {
    await store.commit({
      runId: name,
      task: name,
      nodes: Array.from({ length: 50 }, (_, at) => ({
        entity: 'Item',
        key: ['P', `${batch}.${at}`],
        properties: { [name]: `${batch}.${at}` },
      })),
      relationships: [],
    });
  }
  await store.close();
} else {
  for (let batch = 1; ; batch += 1) {
    const keys = Array.from({ length: 20 }, (_, at) => ['P', `${batch}.${at}`]);
    await store.commit({
      runId: 'R',
      task: 'writer',
      nodes: [
        { entity: 'Batch', key: ['P', batch], properties: {} },
        ...keys.map((key) => ({ entity: 'Item', key, properties: { batch } })),
      ],
      relationships: keys.map((key) => ({
        type: 'PART_OF',
        from: { entity: 'Item', key },
        to: { entity: 'Batch', key: ['P', batch] },
      })),
    });
    console.log(batch);
  }
}
