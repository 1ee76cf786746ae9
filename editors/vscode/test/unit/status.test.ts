import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../../src/model';
import { type BackendState, type Health, statusView } from '../../src/status';
import { agentEvent, modelOf, port, portsEvent, sessionEvent } from './fixtures';

const running: BackendState = { kind: 'running', version: '1.0.0' };

interface Case {
  name: string;
  backend?: BackendState;
  model?: Model;
  task?: string;
  health: Health;
  text: string;
  tooltip: RegExp;
}

const cases: Case[] = [
  {
    name: 'backend not running',
    backend: { kind: 'stopped' },
    health: 'stopped',
    text: '$(circle-slash) Sketch',
    tooltip: /not running/,
  },
  {
    name: 'backend starting',
    backend: { kind: 'starting' },
    health: 'busy',
    text: '$(loading~spin) Sketch',
    tooltip: /starting/,
  },
  {
    name: 'backend missing',
    backend: { kind: 'failed', reason: 'The sketch-ide backend was not found.' },
    health: 'warning',
    text: '$(warning) Sketch',
    tooltip: /was not found/,
  },
  { name: 'no session', health: 'ok', text: '$(vm-outline) Sketch', tooltip: /No session/ },
  {
    name: 'a task',
    task: 'Building image',
    health: 'busy',
    text: '$(loading~spin) Sketch',
    tooltip: /Building image…/,
  },
  {
    name: 'session starting',
    model: modelOf(sessionEvent({ state: 'starting' })),
    health: 'busy',
    text: '$(loading~spin) Sketch',
    tooltip: /brave-otter.*Starting/s,
  },
  {
    name: 'the agent works',
    model: modelOf(
      sessionEvent(),
      agentEvent({ state: 'tools', todo: [{ id: '1', text: 'Test', status: 'active' }] }),
    ),
    health: 'busy',
    text: '$(loading~spin) Sketch',
    tooltip: /working….*Test/s,
  },
  {
    name: 'the agent asks',
    model: modelOf(sessionEvent(), agentEvent({ state: 'asking' })),
    health: 'warning',
    text: '$(question) Sketch: question',
    tooltip: /waits for your answer/,
  },
  {
    name: 'session without ports',
    model: modelOf(sessionEvent({ branch: 'sketch/fix-login' })),
    health: 'ok',
    text: '$(vm-running) Sketch',
    tooltip: /sketch\/fix-login.*No forwarded ports/s,
  },
  {
    name: 'session with ports',
    model: modelOf(
      sessionEvent(),
      portsEvent(port(3000, { hostPort: 3001 }), port(5173), port(1, { status: 'failed' })),
    ),
    health: 'ok',
    text: '$(vm-running) Sketch $(radio-tower) 2',
    tooltip: /3000 → http:\/\/localhost:3001\/\n5173 → /,
  },
  {
    name: 'reconnecting',
    model: modelOf(sessionEvent({ state: 'reconnecting', attempt: 3 })),
    health: 'busy',
    text: '$(loading~spin) Sketch: reconnecting',
    tooltip: /attempt 3/,
  },
  {
    name: 'lost',
    model: modelOf(sessionEvent({ state: 'lost' })),
    health: 'warning',
    text: '$(warning) Sketch: connection lost',
    tooltip: /connection is lost/,
  },
  {
    name: 'stopped by itself',
    model: modelOf(
      sessionEvent({
        state: 'stopped',
        error: { kind: 'disconnected', hint: 'Its files are kept.', retryable: true },
      }),
    ),
    health: 'warning',
    text: '$(warning) Sketch: session stopped',
    tooltip: /does not run\. Its files are kept\./,
  },
  {
    name: 'gone, with a hint',
    model: modelOf(
      sessionEvent({
        state: 'gone',
        error: { kind: 'sessionGone', hint: 'Start a new one.', retryable: false },
      }),
    ),
    health: 'warning',
    text: '$(warning) Sketch: session gone',
    tooltip: /no longer exists\. Start a new one\./,
  },
];

for (const c of cases) {
  test(`statusView: ${c.name}`, () => {
    const view = statusView(c.backend ?? running, c.model ?? modelOf(), c.task);
    assert.equal(view.health, c.health);
    assert.equal(view.text, c.text);
    assert.match(view.tooltip.join('\n'), c.tooltip);
    assert.doesNotMatch(view.accessible, /\$\(/);
  });
}
