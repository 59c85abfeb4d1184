/** Who muster is to a Neo4j server: said by the environment alone, never by a URL, a file or an option. */
import { MusterError } from '../errors.ts';

export interface Neo4jAuth {
  readonly username: string;
  readonly password: string;
}

export interface Neo4jEnvironment {
  readonly auth: Neo4jAuth;
  /** Absent: the user's home database. */
  readonly database?: string;
}

/** Schemes of Neo4j's protocol; `+s` is encrypted, `+ssc` encrypted with a certificate that nobody vouches for. */
const SCHEMES = new Set(['neo4j:', 'neo4j+s:', 'neo4j+ssc:', 'bolt:', 'bolt+s:', 'bolt+ssc:']);
const CREDENTIAL = /pass|pwd|secret|token|credential|auth|user|key/i;

/**
 * Reads `NEO4J_USERNAME` (default `neo4j`), `NEO4J_PASSWORD` and `NEO4J_DATABASE`.
 * @throws GRAPH_CREDENTIALS when there is no password.
 */
export function neo4jEnvironment(env: Readonly<Record<string, string | undefined>>): Neo4jEnvironment {
  const { NEO4J_USERNAME: username, NEO4J_PASSWORD: password, NEO4J_DATABASE: database } = env;
  if (password === undefined || password === '') {
    throw new MusterError(
      'GRAPH_CREDENTIALS',
      'Expected the password of the Neo4j server in the environment variable NEO4J_PASSWORD; got none. Set NEO4J_USERNAME and NEO4J_PASSWORD (and NEO4J_DATABASE, unless it is the home database). A server without authentication takes any password.',
    );
  }
  const auth = { username: username === undefined || username === '' ? 'neo4j' : username, password };
  return { auth, ...(database !== undefined && database !== '' && { database }) };
}

/** Whether a target is written as a URL and not as a path. */
export function isUrl(target: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(target);
}

export interface Neo4jAddress {
  /** For the driver. */
  readonly url: string;
  /** For people: scheme, host and port. */
  readonly shown: string;
}

/**
 * A URL that the driver can use and that holds no credentials.
 * @throws GRAPH_TARGET; the message never repeats the part that could be a secret.
 */
export function neo4jAddress(text: string): Neo4jAddress {
  const scheme = /^[a-z][a-z\d+.-]*:/i.exec(text)?.[0].toLowerCase() ?? '';
  const refuse = (got: string, cure: string): never => {
    throw new MusterError(
      'GRAPH_TARGET',
      `Expected a URL such as neo4j://localhost:7687 or neo4j+s://graph.example.org; got ${got}. ${cure}`,
    );
  };
  if (!SCHEMES.has(scheme)) {
    refuse(`the scheme ${scheme || '(none)'}`, `Use one of ${[...SCHEMES].map((each) => `${each}//`).join(', ')}.`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const parameters = [...(url?.searchParams.keys() ?? [])];
  if (text.includes('@') || parameters.some((name) => CREDENTIAL.test(name))) {
    refuse(
      'one that holds credentials',
      'Take them out of the URL, where they would end up in histories and logs, and set NEO4J_USERNAME and NEO4J_PASSWORD.',
    );
  }
  if (url === undefined || url.hostname === '') return refuse('one that is not well formed', 'Check host and port.');
  if (url.pathname.length > 1 || url.hash !== '') {
    refuse('one with more behind the host', 'Name the database with NEO4J_DATABASE.');
  }
  return { url: text, shown: `${url.protocol}//${url.host}` };
}
