/**
 * What an agent may do, as session rules of OpenCode. Pure. Measured on 1.18.33:
 *
 * - The last rule that matches wins; session rules come after those of the configuration and of the agent, so a leading
 *   `* deny` undoes everything a user's configuration allows. A denial is told to the model as a tool error at once;
 *   nothing is asked. A tool denied as a whole is not offered to the model.
 * - `read` and `edit` match the path relative to the *worktree*: the git root, or `/` without git, then without a
 *   leading slash. The path is normalised (`documents/../x` is `x`), symlinks are followed unseen: the workspace must
 *   not hold any.
 * - `read` of a directory lists it and matches its path without a trailing slash. `*` matches slashes too.
 * - `glob` and `grep` match what is searched for, not where. Where is bound by `external_directory` alone: to the
 *   directory when there is no git or the directory is the git root, to the whole repository otherwise.
 * - `edit` does not bind `bash`; a subagent inherits the denials of its parent, never the exceptions.
 */
import { dirname, relative, resolve } from 'node:path';
import type { PermissionRule } from '../ports.ts';

export interface PermissionRequest {
  /** As the server tells it (`GET /path`): the git root, or `/`. */
  readonly worktree: string;
  /** The directory of the session: the workspace. */
  readonly directory: string;
  /** The instance's own folder, absolute or relative to `directory`. */
  readonly instanceDir: string;
  /** The task's `allow` of the manifest; default none. */
  readonly allow?: readonly string[];
}

/** Folders of the workspace that every agent may read. */
const SHARED_FOLDERS = ['documents', 'schemas'];

export function sessionPermissions(request: PermissionRequest): PermissionRule[] {
  const { worktree, directory, instanceDir, allow = [] } = request;
  const own = resolve(directory, instanceDir);
  const readable = [...SHARED_FOLDERS.map((name) => resolve(directory, name)), own];
  const isOutsideAllowed = allow.includes('external_directory');

  const rules = [rule('*', '*', 'deny')];
  if (isOutsideAllowed) {
    // The run's folder holds the key to the agents' endpoint.
    const run = dirname(directory);
    rules.push(rule('external_directory', '*', 'allow'), rule('external_directory', `${run}/*`, 'deny'));
    rules.push(rule('read', '*', 'allow'), ...tree('read', run, worktree, 'deny'));
  } else if (isWholeWorktree(directory, worktree)) {
    rules.push(rule('glob', '*', 'allow'), rule('grep', '*', 'allow'));
  }
  for (const folder of readable) rules.push(...tree('read', folder, worktree, 'allow'));
  rules.push(rule('muster_*', '*', 'allow'));
  for (const permission of allow) {
    // Documents are the evidence of a run: an agent that may write writes in its own folder.
    if (permission === 'edit') rules.push(...tree('edit', own, worktree, 'allow'));
    else if (permission !== 'external_directory') rules.push(rule(permission, '*', 'allow'));
  }
  rules.push(rule('question', '*', 'deny'));
  return rules;
}

/** True when the server itself keeps glob and grep inside `directory`. */
function isWholeWorktree(directory: string, worktree: string): boolean {
  return worktree === '/' || relative(worktree, directory) === '';
}

/** A folder and everything below it. */
function tree(
  permission: string,
  folder: string,
  worktree: string,
  action: PermissionRule['action'],
): readonly PermissionRule[] {
  const path = relative(worktree, folder).replaceAll('\\', '/');
  return [rule(permission, path, action), rule(permission, `${path}/*`, action)];
}

function rule(permission: string, pattern: string, action: PermissionRule['action']): PermissionRule {
  return { permission, pattern, action };
}
