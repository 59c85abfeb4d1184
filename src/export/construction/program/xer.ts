/**
 * The breakdown structures for Primavera P6: project, WBS, and places as the activity code "Location". Tab-separated
 * tables in Windows-1252 with CRLF. Checked with a reader library, never with P6 itself.
 */
import type { ExportFile } from '../../file.ts';
import { fileNameOf } from '../../file-name.ts';
import { type Site, textOf } from '../site.ts';
import { windows1252 } from './windows-1252.ts';
import { type WorkNode, workTree } from './work-tree.ts';

type Value = string | number | undefined;
type Row = Readonly<Record<string, Value>>;

const PROJECT_ID = 1;
const CODE_TYPE_ID = 1;
/** Bounds of the fields in P6, characters. */
const SHORT_NAME = 40;
const NAME = 100;
const CODE_NAME = 120;

/** `program/{projectId}-wbs.xer`. @param exportedOn the day, `2025-11-03`. */
export function xerFile(site: Site, exportedOn: string): ExportFile {
  const work = workTree(site, 'WBSNode');
  const places = workTree(site, 'LBSNode');
  const lines = [
    ['ERMHDR', '8.0', exportedOn, 'Project', 'muster', 'muster', 'muster', 'Project Management', 'AUD'].join('\t'),
    ...table('PROJECT', [{ proj_id: PROJECT_ID, proj_short_name: cut(site.projectId, SHORT_NAME) }]),
    ...table('PROJWBS', wbsRows(site, work)),
    ...(places.length === 0 ? [] : [...table('ACTVTYPE', [LOCATION]), ...table('ACTVCODE', codeRows(places))]),
    '%E',
  ];
  return {
    path: `program/${fileNameOf(`${site.projectId}-wbs`)}.xer`,
    content: windows1252(`${lines.join('\r\n')}\r\n`),
    what: `for Primavera P6: ${work.length} WBS nodes, ${places.length} places as activity codes; not tried in P6`,
  };
}

const LOCATION: Row = {
  actv_code_type_id: CODE_TYPE_ID,
  actv_short_len: SHORT_NAME,
  seq_num: 1,
  actv_code_type: 'Location',
  proj_id: PROJECT_ID,
  actv_code_type_scope: 'AS_Project',
};

/** P6 knows one root: several roots, or none, hang below a node of the project. */
function wbsRows(site: Site, work: readonly WorkNode[]): Row[] {
  const isOneRoot = work.filter(({ parentId }) => parentId === undefined).length === 1;
  const root = { wbs_id: work.length + 1, code: site.projectId, name: textOf(site.project, 'name') || site.projectId };
  const rows = work.map(
    ({ id, parentId, position, code, name, depth }): Row => ({
      wbs_id: id,
      proj_id: PROJECT_ID,
      // P6 joins the path with dots itself; the root is called after the project.
      wbs_short_name: cut(depth === 0 && isOneRoot ? site.projectId : lastSegment(code), SHORT_NAME),
      wbs_name: cut(name, NAME),
      parent_wbs_id: parentId ?? (isOneRoot ? undefined : root.wbs_id),
      seq_num: position,
      proj_node_flag: depth === 0 && isOneRoot ? 'Y' : 'N',
      status_code: 'WS_Open',
    }),
  );
  if (isOneRoot) return rows;
  const top: Row = {
    wbs_id: root.wbs_id,
    proj_id: PROJECT_ID,
    wbs_short_name: cut(root.code, SHORT_NAME),
    wbs_name: cut(root.name, NAME),
    parent_wbs_id: undefined,
    seq_num: 1,
    proj_node_flag: 'Y',
    status_code: 'WS_Open',
  };
  return [top, ...rows];
}

function codeRows(places: readonly WorkNode[]): Row[] {
  return places.map(({ id, parentId, position, code, name }) => ({
    actv_code_id: id,
    parent_actv_code_id: parentId,
    actv_code_type_id: CODE_TYPE_ID,
    actv_code_name: cut(name, CODE_NAME),
    short_name: cut(code, SHORT_NAME),
    seq_num: position,
  }));
}

function lastSegment(code: string): string {
  return code.slice(code.lastIndexOf('.') + 1);
}

function cut(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '');
}

function table(name: string, rows: readonly Row[]): string[] {
  const fields = Object.keys(rows[0] ?? {});
  return [
    `%T\t${name}`,
    ['%F', ...fields].join('\t'),
    ...rows.map((row) => ['%R', ...fields.map((field) => cell(row[field]))].join('\t')),
  ];
}

/** A cell ends at a tab, a row at a line end: in a text both are spaces. */
function cell(value: Value): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what it is about
  return value === undefined ? '' : String(value).replace(/[\u0000-\u001F\u007F\u0085\u2028\u2029]+/g, ' ');
}
