/** Which versions of OpenCode this adapter speaks with. */

/** The wire format is measured on 1.18.33; 1.19 and 2.x may differ. */
export const SUPPORTED_VERSIONS = '>=1.18.33 <1.19.0';

const FIRST_PATCH = 33;

/** True for 1.18.x from 1.18.33 on; a pre-release of a version counts as before it. */
export function isSupportedVersion(version: string): boolean {
  const parts = /^v?1\.18\.(\d+)(-.+)?(\+.+)?$/.exec(version.trim());
  if (parts === null) return false;
  const patch = Number(parts[1]);
  return patch > FIRST_PATCH || (patch === FIRST_PATCH && parts[2] === undefined);
}
