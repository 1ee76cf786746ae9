import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusReport } from '../../src/report';
import { modelOf, port, portsEvent, session, sessionEvent } from './fixtures';

const versions = { extension: '0.1.0', editor: 'Code 1.99.0', platform: 'linux-x64' };

test('statusReport tells everything', () => {
  const own = session({ branch: 'sketch/fix-login', ssh: 'sketch-brave-otter' });
  const report = statusReport({
    versions: {
      ...versions,
      backend: '0.1.2',
      server: { path: '/ext/server/sketch-ide', source: 'bundled' },
    },
    state: 'running',
    model: modelOf({ type: 'session', session: own }, portsEvent(port(3000, { process: 'node' }))),
    status: {
      version: '0.1.2',
      engine: 'Docker 28.5.2',
      sessions: [own, session({ name: 'sketch-calm-ibex', state: 'gone' })],
      ports: [],
    },
    doctor: {
      ok: false,
      checks: [
        { name: 'git', ok: true, detail: '2.39.5' },
        { name: 'ssh', ok: false, detail: 'not found', hint: 'install openssh-client' },
      ],
    },
  });
  assert.equal(
    report,
    `# Sketch

Extension  0.1.0 in Code 1.99.0 on linux-x64
Backend    0.1.2, running
           /ext/server/sketch-ide (from the extension)
Engine     Docker 28.5.2

## Checks

ok    git: 2.39.5
FAIL  ssh: not found — install openssh-client

## sketch-brave-otter

State      connected, of this window
Folder     /src/app
Branch     sketch/fix-login
SSH        sketch-brave-otter
Port       3000  node  http://localhost:3000/

## sketch-calm-ibex

State      gone
Folder     /src/app
`,
  );
});

test('statusReport works without a backend', () => {
  const facts = {
    versions,
    state: 'failed: not found',
    model: modelOf(),
    status: undefined,
    doctor: undefined,
  };
  assert.match(statusReport(facts), /unknown version, failed: not found\n\nNo sessions/);
  const known = statusReport({ ...facts, model: modelOf(sessionEvent()) });
  assert.match(known, /## sketch-brave-otter/);
});
