import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Usage } from '../../src/protocol';
import { age, cost, count, duration, tokens } from '../../src/words';

const now = Date.parse('2026-01-02T12:00:00Z');

test('age is told in the unit that people would use', () => {
  const cases: [string | undefined, string][] = [
    [undefined, ''],
    ['nonsense', ''],
    ['2026-01-02T11:59:30Z', 'now'],
    ['2026-01-02T12:00:05Z', 'now'], // the engine's clock is ahead
    ['2026-01-02T11:55:00Z', '5 min'],
    ['2026-01-02T09:00:00Z', '3 h'],
    ['2025-12-30T12:00:00Z', '3 d'],
  ];
  for (const [time, want] of cases) assert.equal(age(time, now), want, time);
});

test('cost is in dollars where a price is known, else in tokens', () => {
  const usage: Usage = {
    inputTokens: 1200,
    outputTokens: 300,
    cacheReadTokens: 10_000,
    dollars: 0,
    priced: false,
  };
  assert.equal(cost(undefined), '');
  assert.equal(cost(usage), '12k tokens');
  assert.equal(cost({ ...usage, priced: true, dollars: 0.424 }), '$0.42');
  assert.equal(cost({ ...usage, priced: true, dollars: 0.001 }), '<$0.01');
  assert.equal(cost({ inputTokens: 0, outputTokens: 0, dollars: 0, priced: true }), '');
});

test('counts, tokens and durations', () => {
  assert.equal(count(1, 'commit'), '1 commit');
  assert.equal(count(0, 'commit'), '0 commits');
  assert.equal(tokens(950), '950');
  assert.equal(tokens(1_250_000), '1.3M');
  assert.equal(duration(120), '120 ms');
  assert.equal(duration(3400), '3.4 s');
  assert.equal(duration(125_000), '2 min 5 s');
});
