// A small real git repository in a directory of its own.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export function createRepository(files = {}) {
  const parent = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-repo-'));
  const directory = path.join(parent, 'guestbook'); // images are tagged with the name: always the same one
  const git = (...args) => execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim();
  const all = { 'README.md': '# Guest book\n', 'index.html': '<h1>hello from inside</h1>\n', ...files };
  const write = (name, text) => {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const [name, text] of Object.entries(all)) write(name, text);
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Ada');
  git('config', 'user.email', 'ada@example.com');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  return { directory, git, write, remove: () => rmSync(parent, { recursive: true, force: true }) };
}
