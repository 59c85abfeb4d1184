/** Judges one instance's work by the quality rules of its task, before it is committed. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { RuleJudgement } from '../agent-tools/desk.ts';
import { openProjection } from '../graph/projection.ts';
import type { Publication } from '../output/publication.ts';
import type { TaskContext } from '../output/task-context.ts';
import { type GraphSnapshot, type GraphStore, nodeId } from '../ports.ts';
import { evaluateRules } from '../rules/evaluate.ts';
import { statementsAtEndOf } from '../rules/statements.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';

/**
 * The judge of an instance, or undefined when no rule concerns its task. It sees what the instance may know: its own
 * work, what the tasks it waited for committed, and what the engine wrote. Of an instance of a fan-out only the rows that
 * name its item count.
 */
export function judgeOf(
  context: TaskContext,
  graph: GraphStore,
  runId: string,
): ((work: Publication) => Promise<RuleJudgement>) | undefined {
  const { schema, scope, instance, item, readable } = context;
  const statements = statementsAtEndOf(schema.rules ?? [], instance.task);
  if (statements.length === 0) return undefined;
  const known = narrowed(schema, readable);
  const parts = item?.key.slice(1).map(String) ?? [];
  return async (work) => {
    const snapshot = merged(await readSnapshot(graph, { schema: known, scope, runId }), work);
    const source = await openProjection({ schema, snapshot });
    try {
      const { findings } = await evaluateRules({
        statements,
        source,
        facts: { nodes: snapshot.nodes },
        scope: { attribute: schema.scope, value: scope },
      });
      const own = findings.filter(({ row }) => {
        const values = Object.values(row).map(String);
        return parts.every((part) => values.includes(part));
      });
      return {
        issues: own
          .filter(({ severity }) => severity !== 'warning')
          .map(({ rule, message, hint }) => ({ path: `rule ${rule}`, message: `${message}; ${hint}` })),
        notes: own.filter(({ severity }) => severity === 'warning').map(({ rule, message }) => `${rule}: ${message}`),
      };
    } finally {
      await source.close();
    }
  };
}

/** The schema's entities that the task may read, or that the engine writes. */
function narrowed(schema: MasterSchema, readable: readonly string[]): MasterSchema {
  const isKnown = ({ name, producers }: MasterSchema['entities'][number]) =>
    readable.includes(name) || producers.some(({ task }) => task.startsWith('@'));
  return { ...schema, entities: schema.entities.filter(isKnown) };
}

function merged({ nodes, relationships }: GraphSnapshot, work: Publication): GraphSnapshot {
  const byId = new Map([...nodes, ...work.nodes].map((node) => [nodeId(node), node]));
  return { nodes: [...byId.values()], relationships: [...relationships, ...work.relationships] };
}
