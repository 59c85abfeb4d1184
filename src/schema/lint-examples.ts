import type { EntityDefinition, MasterSchema, Properties } from '../../schemas/define.ts';
import { ensureError } from '../errors.ts';
import type { Place } from './finding.ts';

interface Fault {
  /** First segment of the path: the attribute. */
  readonly at: string;
  readonly message: string;
}

/** The valid example passes, the invalid one is refused at the attribute that it names: agents learn from both. */
export function lintExamples(schema: MasterSchema, entity: EntityDefinition, here: Place): void {
  const { valid, invalid } = entity.examples;
  for (const { at, message } of faultsOf(schema, entity, valid)) {
    here.error(`the valid example is refused at "${at}": ${message}. Correct the example, or the rule.`, '.valid');
  }
  const faults = faultsOf(schema, entity, invalid.attributes);
  const places = [...new Set(faults.map(({ at }) => at))];
  if (faults.length === 0) {
    here.error(
      `the invalid example passes. Make it break the rule it is about (${invalid.why}), or add the rule.`,
      '.invalid',
    );
  } else if (!places.includes(invalid.at)) {
    here.error(
      `the invalid example is refused at ${places.map((at) => `"${at}"`).join(', ')}, not at "${invalid.at}": ${faults[0]!.message}. Correct "at", or the example.`,
      '.invalid',
    );
  } else if (places.length > 1) {
    const others = places.filter((at) => at !== invalid.at).map((at) => `"${at}"`);
    here.warn(
      `the invalid example is refused at ${others.join(', ')} as well as at "${invalid.at}". Leave one fault in it, the one it is about.`,
      '.invalid',
    );
  }
}

function faultsOf({ common }: MasterSchema, entity: EntityDefinition, attributes: Properties): Fault[] {
  const shared = (name: string) => name in common.agent.shape && !(name in entity.attributes.shape);
  const pick = (which: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(attributes).filter(([name]) => which(name)));
  const own = pick((name) => !shared(name));
  const pairs = [[entity.refined ?? entity.attributes, own] as const, [common.agent, pick(shared)] as const];
  return pairs.flatMap(([type, value]): Fault[] => {
    try {
      const result = type.safeParse(value);
      if (result.success) return [];
      return result.error.issues.flatMap((issue) => {
        const places = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0] ?? '')];
        return places.map((at) => ({ at, message: issue.message }));
      });
    } catch (thrown) {
      // A rule of the schema's author that throws, or that is asynchronous.
      return [{ at: '', message: `a rule threw: ${ensureError(thrown).message}` }];
    }
  });
}
