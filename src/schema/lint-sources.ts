/** Whether the sources of a manifest can be opened at all; never quotes a URL or a variable's name that is wrong. */
import type { Manifest, ManifestSource } from '../../schemas/manifest.ts';
import { didYouMean, type Place, place, type SchemaFinding } from './finding.ts';

const SCHEMES = ['neo4j', 'neo4j+s', 'neo4j+ssc', 'bolt', 'bolt+s', 'bolt+ssc'];

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Without these nothing starts: a name that holds them would take them from the agents' server. */
const SYSTEM_VARIABLE = /^(PATH|HOME|USER|SHELL|LANG|TMPDIR)$/i;

export function lintSources({ sources = [], tasks }: Manifest, findings: SchemaFinding[]): void {
  const names = sources.map(({ name }) => name);
  sources.forEach((source, i) => {
    const here = place(findings, `sources[${i}]`);
    if (names.indexOf(source.name) !== i) {
      here.error(`"${source.name}" is the name of an earlier source too. Give each source a name of its own.`, '.name');
    }
    lintUrl(source, here);
    lintCredentials(source, here);
  });
  tasks.forEach((task, i) => {
    task.sources?.forEach((name, j) => {
      if (names.includes(name)) return;
      const known = names.length === 0 ? ' The manifest lists none under "sources".' : didYouMean(name, names);
      place(findings, `tasks[${i}].sources[${j}]`).error(
        `expected a source of the manifest, got "${name}".${known} Correct it, or remove it.`,
      );
    });
  });
}

function lintUrl({ url }: ManifestSource, here: Place): void {
  const scheme = /^([a-z0-9+]+):\/\/[^/]/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !SCHEMES.includes(scheme) || !URL.canParse(url)) {
    here.error(
      'expected a URL such as "neo4j+s://host:7687", with one of these schemes: '.concat(SCHEMES.join(', ')),
      '.url',
    );
  } else if (/[@?#]/.test(url) || new URL(url).pathname.length > 1) {
    here.error(
      'expected a URL of host and port alone, without user, password, path and query. Name environment variables in "usernameEnv" and "passwordEnv", and the database in "database"',
      '.url',
    );
  }
}

function lintCredentials({ usernameEnv, passwordEnv }: ManifestSource, here: Place): void {
  const given = { usernameEnv, passwordEnv };
  for (const [field, name] of Object.entries(given)) {
    if (name === undefined) continue;
    if (!VARIABLE.test(name) || SYSTEM_VARIABLE.test(name)) {
      here.error(
        'expected the name of an environment variable such as "STANDARDS_PASSWORD", not a value, and no variable of the system',
        `.${field}`,
      );
    }
  }
  if ((usernameEnv === undefined) === (passwordEnv === undefined)) return;
  const missing = usernameEnv === undefined ? 'usernameEnv' : 'passwordEnv';
  here.error(
    `expected "usernameEnv" and "passwordEnv", or neither; ${missing} is missing. Name the variable.`,
    `.${missing}`,
  );
}
