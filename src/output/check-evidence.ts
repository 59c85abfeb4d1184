/** The passages that support a submitted node. */
import type { EntityDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { checkPassage, originalPath } from './check-passage.ts';
import { normaliseQuote } from './quote.ts';
import type { StagedEvidence } from './submission.ts';
import { entityOf, type TaskContext } from './task-context.ts';
import { closest, cut, didYouMean, isRecord, NAME_SHOWN, show } from './values.ts';

const FIELDS = ['source', 'locator', 'quote', 'attribute', 'confidence'];
/** Passages of one node; more than that is a copied document, not evidence. */
const MAX_PASSAGES = 50;
const QUOTE = { min: 3, max: 500 };
const MAX_LOCATOR = 200;

/** Reads the `evidence` of a row; a node without a passage must be marked as assumed, and only such a node may be. */
export function checkEvidence(
  context: TaskContext,
  entity: EntityDefinition,
  value: unknown,
  assumed: boolean,
  path: string,
  issues: Issue[],
): readonly StagedEvidence[] {
  const { provenance } = context.schema;
  const given = value === undefined || value === null ? [] : value;
  if (!Array.isArray(given)) {
    issues.push({ path, message: `expected a list of {source, locator, quote}; got ${show(given)}` });
    return [];
  }
  if (!provenance) {
    if (given.length > 0) issues.push({ path, message: 'this schema keeps no evidence; leave it out' });
    return [];
  }
  if (given.length > MAX_PASSAGES) {
    issues.push({ path, message: `expected at most ${MAX_PASSAGES} passages; got ${given.length}` });
    return [];
  }
  if (assumed && given.length > 0) {
    issues.push({
      path,
      message: `"${provenance.assumedAttribute}" is true, which means that no passage supports the node; expected no evidence, or ${provenance.assumedAttribute}: false`,
    });
  }
  if (!assumed && given.length === 0) {
    issues.push({
      path,
      message: `missing; expected at least one passage {source, locator, quote}, or ${provenance.assumedAttribute}: true when no text supports the node`,
    });
  }
  return given.flatMap((passage, i) => readPassage(context, entity, passage, `${path}[${i}]`, issues));
}

function readPassage(
  context: TaskContext,
  entity: EntityDefinition,
  passage: unknown,
  path: string,
  issues: Issue[],
): StagedEvidence[] {
  const before = issues.length;
  if (!isRecord(passage)) {
    issues.push({ path, message: `expected {source, locator, quote}; got ${show(passage)}` });
    return [];
  }
  const { locator, quote, attribute, confidence } = passage;
  const source = originalPath(context, passage['source']);
  for (const name of Object.keys(passage)) {
    if (!FIELDS.includes(name))
      issues.push({
        path: `${path}.${cut(name, NAME_SHOWN)}`,
        message: `unknown field; expected ${FIELDS.join(', ')}`,
      });
  }
  if (typeof source !== 'string' || !context.sources.includes(source)) {
    const close = closest(source, context.sources);
    issues.push({
      path: `${path}.source`,
      message: `expected the path of a document such as "${close ?? context.sources[0] ?? 'documents/…'}"; got ${show(source)}`,
    });
  }
  checkLocator(context, locator, `${path}.locator`, issues);
  const words = typeof quote === 'string' ? quote.trim() : '';
  // Bold marks and white space alone are no words; see normaliseQuote.
  if (normaliseQuote(words).length < QUOTE.min || words.length > QUOTE.max) {
    issues.push({
      path: `${path}.quote`,
      message: `expected a verbatim quote of ${QUOTE.min}-${QUOTE.max} characters; got ${typeof quote === 'string' ? `${words.length} characters` : show(quote)}`,
    });
  }
  if (
    attribute !== undefined &&
    attribute !== null &&
    !(typeof attribute === 'string' && Object.hasOwn(entity.attributes.shape, attribute))
  ) {
    issues.push({
      path: `${path}.attribute`,
      message: `expected an attribute of ${entity.name}; got ${show(attribute)}${didYouMean(attribute, Object.keys(entity.attributes.shape))}`,
    });
  }
  if (
    confidence !== undefined &&
    confidence !== null &&
    !(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)
  ) {
    issues.push({ path: `${path}.confidence`, message: `expected a number from 0 to 1; got ${show(confidence)}` });
  }
  if (issues.length > before) return [];
  const given = { source: source as string, locator: locator as string, quote: words };
  const checked = checkPassage(context, given);
  if (checked && 'message' in checked) {
    issues.push({ path: `${path}.${checked.at}`, message: checked.message });
    return [];
  }
  return [
    {
      ...given,
      ...(typeof attribute === 'string' && { attribute }),
      ...(typeof confidence === 'number' && { confidence }),
    },
  ];
}

/** What a place looks like beyond being a short text is the schema's to say: it is a part of the passage's key. */
function checkLocator({ schema }: TaskContext, locator: unknown, path: string, issues: Issue[]): void {
  if (typeof locator !== 'string' || locator.trim() === '' || locator.length > MAX_LOCATOR) {
    issues.push({
      path,
      message: `expected a place in the file such as "p3 cl 4.2" or "L120-L126"; got ${show(locator)}`,
    });
    return;
  }
  const passage = entityOf(schema, schema.provenance?.entity ?? '');
  const judged = passage?.attributes.shape[passage.key[2] ?? '']?.safeParse(locator);
  if (judged?.success === false) {
    issues.push({ path, message: judged.error.issues[0]?.message ?? `got ${show(locator)}` });
  }
}
