// A small real git repository in a directory of its own.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export function createRepository(files = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sketch-e2e-repo-'));
  const git = (...args) => execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim();
  const all = { 'README.md': '# hello\n', 'index.html': '<h1>hello from inside</h1>\n', ...files };
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
  return { directory, git, write, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
