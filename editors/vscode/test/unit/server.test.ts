import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findServer, probeVersion, protocolMismatch, type SearchPlaces, ServerError } from '../../src/server';

const places: SearchPlaces = {
  setting: '',
  environment: { PATH: '/usr/local/bin:/usr/bin', HOME: '/home/ada' },
  extensionPath: '/ext',
  platform: 'linux',
  isExecutable: () => false,
};

const having = (...files: string[]) => ({ isExecutable: (file: string) => files.includes(file) });

test('findServer takes the first place that has one', () => {
  const everything = having('/set', '/env', '/ext/server/sketch-ide', '/usr/bin/sketch-ide');
  const environment = { ...places.environment, SKETCH_IDE_SERVER: '/env' };
  const cases = [
    { name: 'setting', in: { setting: '/set', environment }, path: '/set' },
    { name: 'environment', in: { environment }, path: '/env' },
    { name: 'bundled', in: {}, path: '/ext/server/sketch-ide' },
    { name: 'path', in: having('/usr/bin/sketch-ide'), path: '/usr/bin/sketch-ide' },
  ];
  for (const c of cases) {
    assert.deepEqual(
      findServer({ ...places, ...everything, ...c.in }),
      { path: c.path, source: c.name },
      c.name,
    );
  }
});

test('findServer understands a home directory and a bare name', () => {
  const home = { ...places, ...having('/home/ada/bin/sketch-ide'), setting: '~/bin/sketch-ide' };
  assert.equal(findServer(home).path, '/home/ada/bin/sketch-ide');
  const bare = { ...places, ...having('/usr/bin/sketch-next'), setting: 'sketch-next' };
  assert.equal(findServer(bare).path, '/usr/bin/sketch-next');
});

test('findServer uses the names of Windows', () => {
  const file = 'C:\\ext\\server\\sketch-ide.exe';
  const windows = { ...places, ...having(file), platform: 'win32', extensionPath: 'C:\\ext' } as const;
  assert.equal(findServer(windows).path, file);
});

test('findServer does not pass over a place that was named and has none', () => {
  const bundled = having('/ext/server/sketch-ide', '/src/bin/sketch-ide');
  for (const setting of ['/missing', 'bin/sketch-ide', './bin/sketch-ide']) {
    assert.throws(() => findServer({ ...places, ...bundled, setting }), ServerError, setting);
  }
  const environment = { ...places.environment, SKETCH_IDE_SERVER: '/missing' };
  assert.throws(
    () => findServer({ ...places, ...bundled, environment }),
    /SKETCH_IDE_SERVER names \/missing/,
  );
});

test('findServer never looks into the current directory', () => {
  const environment = { PATH: ':.:bin:/usr/bin' };
  const seen: string[] = [];
  const isExecutable = (file: string) => seen.push(file) < 0;
  assert.throws(() => findServer({ ...places, environment, isExecutable }), /was not found/);
  assert.deepEqual(seen, ['/ext/server/sketch-ide', '/usr/bin/sketch-ide']);
});

const directory = mkdtempSync(path.join(tmpdir(), 'sketch-probe-'));
after(() => rmSync(directory, { recursive: true }));

function program(name: string, script: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('probeVersion returns the version', async () => {
  const cases = [
    {
      name: 'full',
      answer: '{"version":"1.2.3","protocol":1,"go":"go1.26"}',
      want: { version: '1.2.3', protocol: 1 },
    },
    { name: 'old', answer: '{"version":"devel"}', want: { version: 'devel' } },
  ];
  for (const c of cases) {
    const file = program(c.name, `[ "$*" = "version --json" ] && echo '${c.answer}'`);
    assert.deepEqual(await probeVersion(file), c.want, c.name);
  }
});

test('probeVersion tells what is wrong', async () => {
  const cases = [
    { name: 'other', script: 'echo sketch 1.0', want: /without a version/ },
    { name: 'number', script: 'echo \'{"version":1}\'', want: /without a version/ },
    {
      name: 'fails',
      script: 'echo "first" >&2; echo "no such command" >&2; exit 2',
      want: /: no such command\.$/,
    },
    { name: 'silent', script: 'exit 3', want: /: exit 3\.$/ },
    { name: 'crashes', script: 'kill -SEGV $$', want: /: signal SIGSEGV\.$/ },
    { name: 'floods', script: 'yes', want: /could not be started/ },
  ];
  for (const c of cases) {
    await assert.rejects(probeVersion(program(c.name, c.script)), c.want, c.name);
  }
  await assert.rejects(probeVersion(path.join(directory, 'absent')), /could not be started: exit ENOENT/);
});

test('probeVersion does not wait for ever', async () => {
  const file = program('hangs', 'exec cat < /dev/zero > /dev/null');
  await assert.rejects(probeVersion(file, 100), /did not answer "version --json" within 0.1 s/);
});

test('protocolMismatch says which one to update', () => {
  assert.equal(protocolMismatch(2, { version: '1.0.0' }), undefined);
  assert.equal(protocolMismatch(2, { version: '1.0.0', protocol: 2 }), undefined);
  assert.match(
    protocolMismatch(2, { version: '1.0.0', protocol: 3 }) ?? '',
    /Update the Sketch extension\.$/,
  );
  assert.match(protocolMismatch(2, { version: '1.0.0', protocol: 1 }) ?? '', /Update sketch-ide\.$/);
});
