import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentStatus, Branch } from '../../src/protocol';
import { portTreeRow, sessionRow } from '../../src/views/rows';
import { port, session } from './fixtures';

const now = Date.parse('2026-01-02T12:00:00Z');
const branch: Branch = {
  session: 'sketch-brave-otter',
  name: 'sketch/fix-login',
  exists: true,
  base: 'abc',
  baseBranch: 'main',
  ahead: 2,
  behind: 1,
};
const agent: AgentStatus = {
  session: 'sketch-brave-otter',
  state: 'thinking',
  turn: 1,
  usage: { inputTokens: 10, outputTokens: 10, dollars: 0.5, priced: true },
};

test('a session of this window: branch, state of the agent, cost, age', () => {
  const created = '2026-01-02T10:00:00Z';
  const row = sessionRow({ session: session({ created }), branch, agent, here: true }, now);
  assert.equal(row.label, 'sketch/fix-login');
  assert.equal(row.description, 'thinking · $0.50 · 2 h');
  assert.equal(row.context, 'session here running');
  assert.deepEqual(
    row.facts.find(([name]) => name === 'Branch'),
    ['Branch', 'sketch/fix-login, 2 commits, 1 behind main'],
  );
});

test('a session of another folder names it, and its state where it is not connected', () => {
  const stopped = session({ state: 'stopped', folder: '/src/shop' });
  const row = sessionRow({ session: stopped, branch: undefined, agent, here: false }, now);
  assert.equal(row.description, 'shop · stopped · $0.50');
  assert.equal(row.context, 'session elsewhere ended');
  assert.match(row.accessible, /stopped, of shop/);
});

test('an agent that waits for its user is marked', () => {
  const row = sessionRow(
    { session: session(), branch, agent: { ...agent, state: 'asking' }, here: true },
    now,
  );
  assert.equal(row.icon, 'question');
  assert.match(row.description, /asks you/);
});

test('a forwarded port says where, and what serves there', () => {
  const row = portTreeRow(port(3000, { hostPort: 3001, process: 'vite', pid: 42, reason: '3000 in use' }));
  assert.equal(row.label, '3000 → 3001');
  assert.equal(row.description, 'localhost:3001 · vite');
  assert.equal(row.context, 'port forwarded web');
  assert.deepEqual(row.facts[1], ['Forwarded Address', 'http://localhost:3001/']);
  assert.deepEqual(row.facts[2], ['Running Process', 'vite (42)']);
});

test('other ports say why they are not', () => {
  assert.equal(portTreeRow(port(22, { status: 'listed' })).description, 'not forwarded');
  assert.equal(portTreeRow(port(80, { status: 'failed' })).icon, 'warning');
  assert.equal(portTreeRow(port(80, { status: 'stopped' })).context, 'port stopped');
});
