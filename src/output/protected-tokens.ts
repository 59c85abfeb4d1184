/** The parts of a text in which one wrong character is another requirement: no tolerance holds for them. */

const WORDS = new Set(
  (
    'not no non nor never none neither without cannot nil unless except excluding excluded only ' +
    'least most minimum maximum min max more less fewer greater higher lower above below over under before after ' +
    'within outside inside up down may must shall should ' +
    'zero one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ' +
    'seventy eighty ninety hundred thousand million half third quarter double twice once'
  ).split(' '),
);
/** Units count where they follow a number. */
const UNITS = new Set(
  (
    'm mm cm km µm um nm m2 m3 mm2 mm3 cm2 cm3 km2 ha t kg g mg µg ug kN N MN kNm Nm kPa MPa GPa Pa bar L l mL ml kL ML ' +
    's sec min h hr hrs hour hours day days week weeks month months year years minute minutes second seconds working ' +
    'degC deg C K dB dBA Hz kHz MHz W kW MW V kV A mA Wh kWh pH ppm NTU lx lm kmh rpm percent ' +
    'metre metres meter meters millimetre millimetres millimeter millimeters kilometre kilometres tonne tonnes ' +
    'litre litres liter liters kilogram kilograms gram grams per each item no ft in yd lb psi am pm'
  ).split(' '),
);
const TOKEN = /(?<![\p{L}\p{N}])[-+](?=\p{Nd})|[\p{L}\p{N}]+(?:[-.,:/'][\p{L}\p{N}]+)*|[≤≥<>±=≠≈~%‰°¼½¾⅓⅔]/gu;
const SUPERSCRIPT: Readonly<Record<string, string>> = { '²': '2', '³': '3' };

/**
 * Numbers with their signs and units, words with a digit in them, comparison signs, negations and words that turn a
 * requirement round ("least", "before", "two"), in order. `text` is folded.
 */
export function protectedTokens(text: string): readonly string[] {
  const found: string[] = [];
  let follows = -1;
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    const isUnitPlace = follows >= 0 && match.index - follows <= 1 && text.slice(follows, match.index).trim() === '';
    follows = -1;
    if (!/[\p{L}\p{N}]/u.test(token) || /\p{Nd}/u.test(token)) {
      // A unit may stand close: "95mm" is one token, "95 mm" is two; both are the same.
      const parts = /^(\p{Nd}[\p{Nd}.,:]*)(\p{L}.*)$/u.exec(token);
      found.push(...(parts && isUnit(parts[2]!) ? [parts[1]!, plain(parts[2]!)] : [plain(token)]));
      follows = match.index + token.length;
      continue;
    }
    if (isUnitPlace && isUnit(token)) {
      found.push(plain(token));
      continue;
    }
    for (const word of token.toLowerCase().split(/[-.,:/]/)) {
      if (WORDS.has(word)) found.push(word);
      else if (word.endsWith("n't")) found.push('not');
    }
  }
  return found;
}

function plain(token: string): string {
  return token.replaceAll(/[²³]/g, (character) => SUPERSCRIPT[character]!);
}

function isUnit(token: string): boolean {
  return plain(token)
    .split('/')
    .every((part) => UNITS.has(part));
}
