/** The work breakdown structure for MS Project, as MSPDI: one summary or task for each node. Element order matters. */
import type { ExportFile } from '../../file.ts';
import { fileNameOf } from '../../file-name.ts';
import { xmlText } from '../../safe-text.ts';
import { type Site, textOf } from '../site.ts';
import { type WorkNode, workTree } from './work-tree.ts';

/** `program/{projectId}-wbs.xml`. Of one root the project's own summary task is made; UID and ID 0. */
export function mspdiFile(site: Site): ExportFile {
  const work = workTree(site, 'WBSNode');
  const roots = work.filter(({ parentId }) => parentId === undefined);
  const [root] = roots.length === 1 ? roots : [];
  const name = root?.name || textOf(site.project, 'name') || site.projectId;
  const summary = task({ uid: 0, name, wbs: root?.code ?? '0', outline: '0', level: 0, hasChildren: true });
  // Several roots hang below the summary, each with the number of its place.
  const outlineOf = ({ outline }: WorkNode, top: number) => (root ? outline : [top, outline].filter(Boolean).join('.'));
  let top = 0;
  const tasks = work
    .filter((one) => one !== root)
    .map((one, at) => {
      if (one.parentId === undefined) top += 1;
      return task({
        uid: at + 1,
        name: one.name,
        wbs: one.code,
        outline: outlineOf(one, top),
        level: root ? one.depth : one.depth + 1,
        hasChildren: one.hasChildren,
      });
    });
  return {
    path: `program/${fileNameOf(`${site.projectId}-wbs`)}.xml`,
    content: [
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
      '<Project xmlns="http://schemas.microsoft.com/project">',
      `  <Name>${xmlText(site.projectId)}</Name>`,
      `  <Title>${xmlText(name)}</Title>`,
      '  <Tasks>',
      summary,
      ...tasks,
      '  </Tasks>',
      '</Project>',
      '',
    ].join('\n'),
    what: `for MS Project (MSPDI): ${tasks.length} tasks below the project`,
  };
}

interface Task {
  readonly uid: number;
  readonly name: string;
  readonly wbs: string;
  readonly outline: string;
  readonly level: number;
  readonly hasChildren: boolean;
}

function task({ uid, name, wbs, outline, level, hasChildren }: Task): string {
  const values = [
    ['UID', uid],
    ['ID', uid],
    ['Name', name],
    ['WBS', wbs],
    ['OutlineNumber', outline],
    ['OutlineLevel', level],
    ['Summary', hasChildren ? 1 : 0],
  ] as const;
  return `    <Task>${values.map(([tag, value]) => `<${tag}>${xmlText(String(value))}</${tag}>`).join('')}</Task>`;
}
