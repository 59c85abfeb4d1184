/** Skips every test of a file, hooks included, when there is no Neo4j server. */
import { inject, TestRunner } from 'vitest';

type CollectedFile = Parameters<TestRunner['onCollectStart']>[0];
type Task = CollectedFile | CollectedFile['tasks'][number];

export default class Neo4jRunner extends TestRunner {
  onCollected(files: CollectedFile[]): void {
    if (inject('neo4jMissing')) for (const file of files) skip(file);
  }
}

function skip(task: Task): void {
  task.mode = 'skip';
  if ('tasks' in task) for (const each of task.tasks) skip(each);
}
