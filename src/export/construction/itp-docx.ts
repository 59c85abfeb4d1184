/** An ITP as a Word document: the rows of the workbook, with named styles that a company template can change. */
import {
  AlignmentType,
  Document,
  Footer,
  Header,
  Packer,
  PageNumber,
  PageOrientation,
  Paragraph,
  type ParagraphChild,
  Table,
  TableLayoutType,
  TableRow,
  TabStopType,
  TextRun,
  WidthType,
} from 'docx';
import { xmlCharacters, xmlText } from '../safe-text.ts';
import { withoutZipDates } from '../zip-dates.ts';
import { bandCell, headCell, itemCell, labelCell, valueCell } from './docx-cells.ts';
import { ITP_STYLES, STYLE } from './docx-styles.ts';
import type { ItpDocument } from './itp-document.ts';
import { ITP_WIDTHS, type ItpItem, itpHeaders } from './itp-item.ts';
import { itpPageWords } from './itp-xlsx.ts';
import { type PageWords, UNCONTROLLED } from './page.ts';
import { LEGEND } from './words.ts';

/** A4 and its margins, in twentieths of a point. */
const A4 = { width: 11_906, height: 16_838 };
const MARGIN = { left: 567, right: 567, top: 1_020, bottom: 850, header: 480, footer: 400 };
const TABLE_WIDTH = A4.height - MARGIN.left - MARGIN.right;
const TITLE_WIDTHS = [12, 38, 12, 38];
/** Header cells that read upwards need this height. */
const HEAD_HEIGHT = 1_500;

/** @param exportedOn the day, `2025-11-03`; the only thing that differs between two exports of one graph. */
export async function itpDocx(itp: ItpDocument, exportedOn: string): Promise<Uint8Array> {
  const words = itpPageWords(itp, exportedOn);
  const title = `${itp.docNo} ${itp.title}`;
  const document = new Document({
    title: xmlCharacters(title),
    creator: 'muster',
    styles: ITP_STYLES,
    sections: [
      {
        properties: {
          page: { size: { ...A4, orientation: PageOrientation.LANDSCAPE }, margin: MARGIN },
        },
        headers: {
          default: new Header({ children: [line([run(words.left)], [run(words.middle, true)], [run(words.right)])] }),
        },
        footers: { default: new Footer({ children: [footer(words)] }) },
        children: [titleTable(itp), legend(LEGEND), legend(itp.review), itemTable(itp)],
      },
    ],
  });
  const core = { path: 'docProps/core.xml', data: coreProperties(title, itp.project, exportedOn) };
  const archive = await Packer.toArrayBuffer(document, undefined, [core]);
  return withoutZipDates(new Uint8Array(archive));
}

/** The library's own would hold the time of writing. */
function coreProperties(title: string, subject: string, day: string): string {
  const date = (name: string) =>
    `<dcterms:${name} xsi:type="dcterms:W3CDTF">${xmlText(day)}T00:00:00Z</dcterms:${name}>`;
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${xmlText(title)}</dc:title><dc:subject>${xmlText(subject)}</dc:subject><dc:creator>muster</dc:creator>${date('created')}${date('modified')}</cp:coreProperties>`;
}

function run(text: string, bold = false): TextRun {
  return new TextRun({ text: xmlCharacters(text), bold });
}

/** Three parts across the page: left, middle, right. */
function line(...parts: readonly (readonly ParagraphChild[])[]): Paragraph {
  const tab = () => new TextRun({ text: '\t' });
  return new Paragraph({
    style: STYLE.page,
    tabStops: [
      { type: TabStopType.CENTER, position: TABLE_WIDTH / 2 },
      { type: TabStopType.RIGHT, position: TABLE_WIDTH },
    ],
    children: parts.flatMap((part, at) => (at === 0 ? part : [tab(), ...part])),
  });
}

function footer({ exportedOn }: PageWords): Paragraph {
  const page = new TextRun({ children: ['Page ', PageNumber.CURRENT, ' of ', PageNumber.TOTAL_PAGES] });
  return line([run(UNCONTROLLED)], [run(`Exported ${exportedOn}`)], [page]);
}

function legend(text: string): Paragraph {
  return new Paragraph({ style: STYLE.legend, children: [run(text)] });
}

function titleTable({ titleBlock }: ItpDocument): Table {
  return table(
    TITLE_WIDTHS,
    titleBlock.map(
      (fields) =>
        new TableRow({
          cantSplit: true,
          children: fields.flatMap(([label, value]) => [labelCell(label), valueCell(value)]),
        }),
    ),
  );
}

function itemTable(itp: ItpDocument): Table {
  const head = new TableRow({
    tableHeader: true,
    cantSplit: true,
    height: { value: HEAD_HEIGHT, rule: 'atLeast' },
    children: itpHeaders(itp.supervisor).map((text, at) => headCell(text, at)),
  });
  return table(ITP_WIDTHS, [
    head,
    ...itp.bands.flatMap(({ stage, items }) => [
      new TableRow({ cantSplit: true, children: [bandCell(stage, ITP_WIDTHS.length)] }),
      ...items.map(itemRow),
    ]),
  ]);
}

function itemRow(item: ItpItem): TableRow {
  return new TableRow({ cantSplit: true, children: item.cells.map((text, at) => itemCell(item, text, at)) });
}

function table(percents: readonly number[], rows: TableRow[]): Table {
  return new Table({
    rows,
    alignment: AlignmentType.CENTER,
    layout: TableLayoutType.FIXED,
    width: { size: TABLE_WIDTH, type: WidthType.DXA },
    columnWidths: percents.map((percent) => Math.floor((TABLE_WIDTH * percent) / 100)),
    margins: { top: 20, bottom: 20, left: 50, right: 50, marginUnitType: WidthType.DXA },
  });
}
