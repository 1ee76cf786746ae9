import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnosticsText, redact } from '../../src/diagnostics';
import { parseLink } from '../../src/links';

test('links that mean something', () => {
  assert.deepEqual(parseLink('/chat', ''), { kind: 'chat' });
  assert.deepEqual(parseLink('/chat', 'text=fix%20the%20login'), { kind: 'chat', text: 'fix the login' });
  assert.deepEqual(parseLink('/port/3000', ''), { kind: 'port', port: 3000 });
  assert.deepEqual(parseLink('/port', 'number=3000'), { kind: 'port', port: 3000 });
  assert.deepEqual(parseLink('/changes', ''), { kind: 'changes' });
});

test('links that do not', () => {
  for (const path of ['', '/', '/stop', '/port/0', '/port/70000', '/port/x']) {
    assert.equal(parseLink(path, ''), undefined, path);
  }
  assert.equal(parseLink('/chat', `text=${'x'.repeat(9000)}`)?.kind, 'chat');
});

test('diagnostics hold no key', () => {
  const text = diagnosticsText({
    report: '# Sketch\n',
    settings: {
      'sketch.mcpServers': {
        notes: { url: 'https://ann:hunter22@notes.example', headers: { 'X-Notes': 'hunter23' } },
      },
    },
    log: `x-api-key: sk-ant-0123456789abcdef\n${'```'}\n`,
    agentLog: ['level=INFO msg="agent runs"'],
  });
  assert.doesNotMatch(text, /0123456789abcdef|hunter/);
  assert.match(text, /"url": "https:\/\/…@notes\.example"/);
  assert.match(text, /"X-Notes": "…"/);
  assert.match(text, /^````$/m); // a fence in a log does not end ours
  assert.match(text, /agent runs/);
  assert.equal(redact('Authorization: Bearer abcdefghijkl'), 'Authorization: …');
  assert.equal(redact('12000 tokens were used'), '12000 tokens were used');
});
