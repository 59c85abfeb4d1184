/** Makes texts of documents and agents harmless in the formats that people open: data stays data. */

/** What XML 1.0 can hold no more than UTF-8 can: control characters, halves of pairs, U+FFFE and U+FFFF. */
const NOT_XML =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what it is about
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** What a spreadsheet takes for a formula at the start of a text; full-width forms count as the narrow ones. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** Characters that XML cannot hold become U+FFFD. */
export function xmlCharacters(text: string): string {
  return text.replace(NOT_XML, '\uFFFD');
}

/** Text for an XML attribute or element; line ends survive the parser. */
export function xmlText(text: string): string {
  return xmlCharacters(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Text for a CSV field: an apostrophe in front of what a spreadsheet would compute. */
export function csvText(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/**
 * Text for a string cell of a workbook. Excel reads `_x0041_` as "A", so such a text has its first underscore written
 * that way; a cell holds 32,767 characters at most, longer texts are cut and end with an ellipsis.
 */
export function cellText(text: string): string {
  const safe = xmlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
  return safe.length > LONGEST_CELL ? `${safe.slice(0, LONGEST_CELL - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : safe;
}

const LONGEST_CELL = 32_767;
