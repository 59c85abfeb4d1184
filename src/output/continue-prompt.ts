/** The prompt of a session that was interrupted and goes on: what it handed in is kept, so it need not start again. */
import type { PromptParts } from './prompt.ts';

/** How the heading of such a prompt ends; the scripted model knows by it that no new turn of its script begins. */
export const GOES_ON = ': go on';

export function continuePrompt({ context, title, goal, folder }: PromptParts): string {
  return [
    `Task: ${context.instance.id}`,
    '',
    `# ${title}${GOES_ON}`,
    '',
    'You were interrupted, through no fault of yours. What muster_submit accepted so far is kept; a call that was under way when you were interrupted may not have arrived: make it again, a key submitted again replaces the earlier row.',
    '',
    'Go on where you stopped, then call `muster_complete`: it says what is still owed.',
    '',
    `The goal has not changed (also in \`${folder}/prompt.md\`; what you owe is in \`${folder}/AGENT_SCHEMA.md\`):`,
    '',
    goal.trim(),
    '',
  ].join('\n');
}
