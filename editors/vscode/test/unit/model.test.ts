import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  currentSession,
  emptyModel,
  forwardedPorts,
  openPorts,
  reduce,
  sessionOfFolder,
} from '../../src/model';
import { modelOf, port, portsEvent, session, sessionEvent } from './fixtures';

const numbers = (list: { port: { number: number } }[]) => list.map(entry => entry.port.number);

test('a ports message replaces all ports of its session, sorted', () => {
  const model = modelOf(
    sessionEvent(),
    portsEvent(port(3000), port(9000)),
    portsEvent(port(8080), port(3000)),
  );
  assert.deepEqual(numbers(openPorts(model)), [3000, 8080]);
});

test('a repeated message changes nothing', () => {
  const once = modelOf(sessionEvent(), portsEvent(port(3000)));
  assert.deepEqual(reduce(reduce(once, sessionEvent()), portsEvent(port(3000))), once);
});

test('reduce leaves the given model alone', () => {
  const before = modelOf(sessionEvent(), portsEvent(port(3000)));
  reduce(before, sessionEvent({ state: 'stopped' }));
  reduce(before, portsEvent());
  assert.deepEqual(numbers(openPorts(before)), [3000]);
  assert.equal(emptyModel.sessions.size, 0);
});

test('a stopped session is forgotten with its ports', () => {
  const model = modelOf(sessionEvent(), portsEvent(port(3000)), sessionEvent({ state: 'stopped' }));
  assert.equal(currentSession(model), undefined);
  assert.deepEqual(openPorts(model), []);
});

test('a session whose container is gone is still told of, without ports', () => {
  const model = modelOf(sessionEvent(), portsEvent(port(3000)), sessionEvent({ state: 'gone' }));
  assert.equal(currentSession(model)?.state, 'gone');
  assert.deepEqual(openPorts(model), []);
});

test('a lost connection keeps the ports', () => {
  const model = modelOf(
    sessionEvent(),
    portsEvent(port(3000)),
    sessionEvent({ state: 'reconnecting', attempt: 2 }),
  );
  assert.deepEqual(numbers(forwardedPorts(model)), [3000]);
});

test('ports that just closed are not listed; others count as forwarded only when they are', () => {
  const model = modelOf(
    sessionEvent(),
    portsEvent(
      port(1, { status: 'closed' }),
      port(2, { status: 'failed' }),
      port(3, { status: 'listed' }),
      port(4, { status: 'stopped' }),
      port(5),
    ),
  );
  assert.deepEqual(numbers(openPorts(model)), [2, 3, 4, 5]);
  assert.deepEqual(numbers(forwardedPorts(model)), [5]);
});

test('the current session is the newest that has a container', () => {
  const old = sessionEvent({ name: 'sketch-a', created: '2026-01-01T00:00:00Z' });
  const gone = sessionEvent({ name: 'sketch-b', created: '2026-01-03T00:00:00Z', state: 'gone' });
  const fresh = sessionEvent({ name: 'sketch-c', created: '2026-01-02T00:00:00Z' });
  assert.equal(currentSession(modelOf(old, gone, fresh))?.name, 'sketch-c');
  assert.equal(currentSession(modelOf(gone))?.name, 'sketch-b');
});

test('the end of a connection voids everything', () => {
  assert.deepEqual(modelOf(sessionEvent(), portsEvent(port(3000)), { type: 'reset' }), emptyModel);
});

test('sessionOfFolder finds the session of a folder or of one above it', () => {
  const sessions = [
    session({ name: 'stopped', folder: '/src/app', state: 'stopped' }),
    session({ name: 'locked', folder: '/src/app', error: { kind: 'sessionGone', retryable: false } }),
    session({ name: 'other', folder: '/src/application' }),
    session({ name: 'own', folder: '/src/app' }),
  ];
  assert.equal(sessionOfFolder(sessions, '/src/app')?.name, 'own');
  assert.equal(sessionOfFolder(sessions, '/src/app/packages/web')?.name, 'own');
  assert.equal(sessionOfFolder(sessions, '/src'), undefined);
  assert.equal(sessionOfFolder([session({ folder: '/' })], '/src')?.folder, '/');
});
