import { describe, expect, it } from 'vitest';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import { drawPlan, explainTask, planJson, planMermaid } from '../../src/plan/draw.ts';
import { workshop, workshopManifest } from '../schema/workshop.ts';

const graph = deriveTaskGraph(workshop, workshopManifest);

describe('the plan for people', () => {
  it('shows waves, what each task creates, what it waits for and why', () => {
    expect(drawPlan(graph)).toBe(`Wave 1
  design          Assembly
  purchasing      Part

Wave 2
  making          Part
    ← design      Part[origin=made] FITS Assembly, required, n:m

Wave 3
  inspection      Check, Step
                  one instance for each Assembly that design commits, at most 100
    ← design      Check OF Assembly, required, 1:1
                  fans out over Assembly
    ← purchasing  Check NEEDS Part[origin=bought], required, n:m
`);
  });

  it('explains one task, in both directions', () => {
    expect(explainTask(graph, 'making')).toBe(`making: Making
Wave 2
Creates Part
Waits for
  design  Part[origin=made] FITS Assembly, required, n:m
Nobody waits for it
`);
    expect(explainTask(graph, 'purchasing')).toBe(`purchasing: Purchasing
Wave 1
Creates Part
Waits for nobody
Waited for by
  inspection  Check NEEDS Part[origin=bought], required, n:m
`);
  });

  it('answers an unknown task with the nearest one', () => {
    expect(() => explainTask(graph, 'desing')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message:
          'expected a task of this plan, got "desing". Did you mean design? The plan has design, purchasing, making, inspection.',
      }),
    );
    expect(() => explainTask(graph, 'zzz')).toThrow('got "zzz". The plan has design');
  });
});

describe('the plan for programs', () => {
  it('is the graph itself as JSON', () => {
    expect(JSON.parse(planJson(graph))).toEqual(graph);
  });

  it('is a Mermaid flowchart whose arrows point from what comes first', () => {
    expect(planMermaid(graph)).toBe(`flowchart LR
  subgraph wave1 ["Wave 1"]
    task_design["design"]
    task_purchasing["purchasing"]
  end
  subgraph wave2 ["Wave 2"]
    task_making["making"]
  end
  subgraph wave3 ["Wave 3"]
    task_inspection[["inspection × Assembly"]]
  end
  task_design -- "Part[origin=made] FITS Assembly, required, n:m" --> task_making
  task_design -- "Check OF Assembly, required, 1:1<br/>fans out over Assembly" --> task_inspection
  task_purchasing -- "Check NEEDS Part[origin=bought], required, n:m" --> task_inspection
`);
  });

  it('keeps signs that Mermaid would read as its own out of a reason', () => {
    const dependencies = {
      add: [{ task: 'purchasing', waitsFor: 'design', reason: 'the "old" #7 <b>rule</b>\nof the house' }],
    };
    const text = planMermaid(deriveTaskGraph(workshop, { ...workshopManifest, dependencies }));
    expect(text).toContain('-- "the #quot;old#quot; #35;7 #lt;b#gt;rule#lt;/b#gt; of the house" -->');
  });
});
