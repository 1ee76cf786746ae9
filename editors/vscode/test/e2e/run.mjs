// npm run test:e2e -- [stub] [work] [backend]
//
// Runs the extension in a real VS Code: `stub` and `work` against a stand-in for the backend, `backend` against the real one (named by
// SKETCH_IDE_SERVER, else bin/sketch-ide of this repository) and a real Docker. Screenshots go to artifacts/.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const extension = path.resolve(here, '../..');
const root = path.resolve(extension, '../..');
const suites = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['stub', 'work', 'backend'];

const backend = process.env.SKETCH_IDE_SERVER ?? path.join(root, 'bin/sketch-ide');
if (suites.includes('backend') && !existsSync(backend)) {
  fail(`The backend ${backend} is missing: build it (make), or name another in SKETCH_IDE_SERVER.`);
}
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(chromium)) fail(`${chromium} is missing: install chromium, or name another in CHROMIUM.`);

const artifacts = process.env.SKETCH_IDE_ARTIFACTS ?? path.join(root, 'artifacts');
mkdirSync(artifacts, { recursive: true });
const work = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-run-'));
try {
  const stdio = ['ignore', 'pipe', 'inherit'];
  process.env.E2E_TOOLCHAIN = execFileSync(path.join(here, 'setup.sh'), { encoding: 'utf8', stdio }).trim();
  process.env.E2E_ARTIFACTS = artifacts;
  process.env.E2E_BACKEND = backend;
  process.env.E2E_EXTENSIONS = path.join(work, 'extensions');
  delete process.env.SKETCH_IDE_SERVER; // each test says which backend it wants

  const vsix = path.join(work, 'sketch-ide.vsix');
  // As in a release, the backend is inside the extension; the stub's tests name theirs in the environment.
  const target = `linux-${process.arch}`;
  const server = suites.includes('backend') ? ['--server', backend, '--target', target] : [];
  execFileSync(process.execPath, ['scripts/package.mjs', '--out', vsix, ...server], {
    cwd: extension,
    stdio,
  });
  const { installExtension } = await import('./lib/workbench.mjs');
  await installExtension(vsix, process.env.E2E_EXTENSIONS);

  const files = suites.map(suite => path.join(here, `${suite}.test.mjs`));
  // One file after the other: each has a browser and a server of its own, and two cores are not many.
  const run = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...files], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
