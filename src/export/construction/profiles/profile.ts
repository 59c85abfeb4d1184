/**
 * A profile: which tables a product of others imports, and where each of its columns comes from. Profiles are data, because
 * headers of other people's products change: a user edits the file and hands it in.
 */
import { z } from 'zod';
import type { MasterSchema } from '../../../../schemas/define.ts';
import { MusterError } from '../../../errors.ts';
import { DERIVED } from './derived.ts';

const nonEmpty = z.string().min(1).max(200);

/** An attribute of the row's entity, a derived value that begins with `@`, a fixed text, or nothing for a person to fill. */
const source = z.union([nonEmpty, z.strictObject({ text: z.string().max(200) }), z.null()]);

const profile = z.strictObject({
  name: nonEmpty,
  note: z.string().max(1_000).optional(),
  files: z
    .array(
      z.strictObject({
        file: nonEmpty,
        /** Entity: one row for each node, in key order. */
        rows: nonEmpty,
        /** Only nodes with these attribute values. */
        where: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
        /** In the order of the file. */
        columns: z.array(z.tuple([nonEmpty, source])).min(1),
      }),
    )
    .min(1),
});

export type Profile = z.infer<typeof profile>;
export type ProfileTable = Profile['files'][number];
export type ProfileSource = z.infer<typeof source>;

/**
 * Reads a profile that a user wrote.
 * @param where the file, for the message.
 * @throws MusterError USAGE naming each fault by its path: wrong form, an entity, attribute or derived value there is not.
 */
export function readProfile(value: unknown, schema: MasterSchema, where: string): Profile {
  const read = profile.safeParse(value);
  const faults = read.success
    ? unknownNames(read.data, schema)
    : read.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  if (read.success && faults.length === 0) return read.data;
  throw new MusterError(
    'USAGE',
    `expected a profile in ${where}, got ${faults.length} fault${faults.length === 1 ? '' : 's'}: ${faults.slice(0, 10).join('; ')}. docs/export-profiles.md describes the form`,
  );
}

function unknownNames({ files }: Profile, schema: MasterSchema): string[] {
  return files.flatMap(({ rows, where, columns }, file) => {
    const entity = schema.entities.find(({ name }) => name === rows);
    if (!entity) return [`files.${file}.rows: the schema has no entity "${rows}"`];
    const attributes = new Set([
      ...entity.key,
      ...Object.keys(entity.attributes.shape),
      ...Object.keys(schema.common.agent.shape),
      ...schema.common.engine,
    ]);
    const derived = Object.keys(DERIVED[rows] ?? {});
    const isKnown = (name: string) => (name.startsWith('@') ? derived.includes(name) : attributes.has(name));
    const known = derived.length > 0 ? `; derived are ${derived.join(', ')}` : '';
    return [
      ...Object.keys(where ?? {})
        .filter((name) => !attributes.has(name))
        .map((name) => `files.${file}.where: ${rows} has no attribute "${name}"`),
      ...columns.flatMap(([header, from], column) =>
        typeof from === 'string' && !isKnown(from)
          ? [`files.${file}.columns.${column} (${header}): ${rows} has no "${from}"${known}`]
          : [],
      ),
    ];
  });
}
