/** `endpoint.json`: how the agents' tool file finds muster. It stands outside the workspace, where no agent may read. */
import { rename, rm, writeFile } from 'node:fs/promises';

/** Writes the file whole or not at all, readable by this user only. */
export async function writeEndpointFile(
  file: string,
  endpoint: { readonly url: string; readonly token: string },
): Promise<void> {
  const whole = `${file}.new`;
  await writeFile(whole, `${JSON.stringify({ url: endpoint.url, token: endpoint.token })}\n`, { mode: 0o600 });
  await rename(whole, file);
}

export async function removeEndpointFile(file: string): Promise<void> {
  await rm(file, { force: true });
}
