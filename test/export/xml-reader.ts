/** A small strict XML reader: throws on anything that is not well-formed or not allowed in XML 1.0. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const TOKEN = /<\?xml [^<>]*\?>|<(\/?)([A-Za-z][\w.:-]*)((?:\s+[\w.:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function readXml(source: string): XmlElement {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
  if (/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Cs}/u.test(source)) {
    throw new Error('a character that XML cannot hold');
  }
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`);
    const [, closes, name, attributes, empty, text] = match;
    const inside = open.at(-1)!;
    if (text !== undefined) inside.text += decoded(text);
    else if (closes) {
      if (open.pop()!.name !== name) throw new Error(`${name} closes ${inside.name}`);
    } else if (name !== undefined) {
      const element: XmlElement = { name, attributes: attributesOf(attributes ?? ''), children: [], text: '' };
      inside.children.push(element);
      if (!empty) open.push(element);
    }
  }
  if (open.length !== 1 || top.children.length !== 1) throw new Error('expected one closed root element');
  return top.children[0]!;
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w.:-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, decoded(value!.replace(/\s/g, ' '))]),
  );
}

function decoded(text: string): string {
  // As a parser does before anything else.
  const lines = text.replace(/\r\n?/g, '\n');
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(lines)) throw new Error(`a bare & in ${text.slice(0, 60)}`);
  return lines.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) =>
    code === undefined ? NAMED[name]! : String.fromCodePoint(Number(code)),
  );
}
