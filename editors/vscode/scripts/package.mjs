// npm run package -- [--server PATH] [--target linux-x64] [--out FILE]
//
// Writes one .vsix. With --server the backend is inside it (then name the platform with --target); without, the extension
// looks for the backend in the environment and on PATH.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { server: { type: 'string' }, target: { type: 'string' }, out: { type: 'string' } },
});
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const name = [manifest.name, values.target, manifest.version].filter(Boolean).join('-');
const out = path.resolve(values.out ?? `dist/${name}.vsix`);

const license = ['LICENSE', '../../LICENSE'].find(existsSync);
if (!license) throw new Error('LICENSE not found: package from a checkout of the repository');
if (license !== 'LICENSE') copyFileSync(license, 'LICENSE');

rmSync('server', { recursive: true, force: true });
if (values.server) {
  const executable = values.target?.startsWith('win32') ? 'server/sketch-ide.exe' : 'server/sketch-ide';
  mkdirSync('server');
  copyFileSync(values.server, executable);
  chmodSync(executable, 0o755);
}

mkdirSync(path.dirname(out), { recursive: true });
run('node', ['scripts/build.mjs']);
// What the README links to is relative to its folder, which vsce takes for the repository's own.
const { url, directory } = manifest.repository;
const base = kind => `${url.replace(/\.git$/, '')}/${kind}/HEAD/${directory}`;
run('node_modules/.bin/vsce', [
  'package',
  '--no-dependencies',
  ...['--baseContentUrl', base('blob'), '--baseImagesUrl', base('raw')],
  '--out',
  out,
  ...(values.target ? ['--target', values.target] : []),
]);

function run(command, args) {
  const result = spawnSync(command, args, { stdio: 'inherit' });
  if (result.status !== 0) throw new Error(`${command} ${args[0]}: exit ${result.status}`);
}
