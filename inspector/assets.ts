/** The files of the page: found from the sources and from the compiled package alike, read once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MusterError } from '../src/errors.ts';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** Where HTML, CSS and the icon are, below the package root; tsc does not copy them. */
const STATIC = 'inspector/page';
/** Where tsc puts the page's scripts (`view.js`, `page/*.js`), below the package root. */
const COMPILED = 'dist/inspector';

/**
 * All files of the page by request path.
 *
 * @param compiled folder of the compiled scripts; default `dist/inspector` of this package
 * @throws MusterError BUG when the page was never compiled
 */
export function pageAssets(compiled = join(packageRoot(), COMPILED)): ReadonlyMap<string, Asset> {
  const statics = join(packageRoot(), STATIC);
  const scripts = join(compiled, 'page');
  if (!existsSync(join(scripts, 'main.js'))) {
    throw new MusterError(
      'BUG',
      `the inspector's page is not compiled: ${join(scripts, 'main.js')} does not exist; run \`npm run build\``,
    );
  }
  const elk = createRequire(import.meta.url).resolve('elkjs/lib/elk.bundled.js');
  return new Map([
    ['/', read(join(statics, 'index.html'), 'text/html; charset=utf-8')],
    ['/page/style.css', read(join(statics, 'style.css'), 'text/css; charset=utf-8')],
    ['/page/icon.svg', read(join(statics, 'icon.svg'), 'image/svg+xml')],
    ['/view.js', script(join(compiled, 'view.js'))],
    ['/elk.js', script(elk)],
    ...readdirSync(scripts)
      .filter((name) => name.endsWith('.js'))
      .map((name): [string, Asset] => [`/page/${name}`, script(join(scripts, name))]),
  ]);
}

function script(path: string): Asset {
  return read(path, 'text/javascript; charset=utf-8');
}

function read(path: string, type: string): Asset {
  return { type, body: readFileSync(path) };
}

/** The nearest folder above this file that holds package.json. */
function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
