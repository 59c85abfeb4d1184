/** Text of agents, tools and documents inside Markdown: data, never markup. */

/** Makes any text safe inside a table or paragraph: one line, no markup, no HTML. */
export function text(value: string): string {
  return value
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]|#~]/g, '\\$&')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

export function code(value: string): string {
  return `\`${value.replaceAll(/[`|\s]+/g, ' ')}\``;
}

/** Word for word, in a fence that nothing in it can close. */
export function fenced(value: string, indent = ''): string[] {
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...value.split('\n'), fence].map((line) => `${indent}${line}`);
}
