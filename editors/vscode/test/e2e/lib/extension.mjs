// Extensions that only tests have.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { installExtension } from './workbench.mjs';

/** Packs the extension in a folder beside the tests, and installs it; windows that are opened from now on have it. */
export async function installTestExtension(name) {
  const directory = new URL(`../${name}`, import.meta.url).pathname;
  const vsce = path.resolve(directory, '../../../node_modules/.bin/vsce');
  const out = path.join(process.env.E2E_EXTENSIONS, '..', `${name}.vsix`);
  const args = ['package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', out];
  execFileSync(vsce, args, { cwd: directory, stdio: 'ignore' });
  await installExtension(out, process.env.E2E_EXTENSIONS);
}
