import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesce, RestartPolicy } from '../../src/restart';

test('RestartPolicy allows four restarts in three minutes', () => {
  let now = 0;
  const policy = new RestartPolicy(4, 180_000, () => now);
  assert.deepEqual(
    [0, 1000, 2000, 3000, 4000].map(at => {
      now = at;
      return policy.crashed();
    }),
    [true, true, true, true, false],
  );
});

test('RestartPolicy forgets what is long ago, and all on request', () => {
  let now = 0;
  const policy = new RestartPolicy(1, 1000, () => now);
  assert.equal(policy.crashed(), true);
  now = 999;
  assert.equal(policy.crashed(), false);
  now = 2500;
  assert.equal(policy.crashed(), true);
  policy.reset();
  assert.equal(policy.crashed(), true);
});

/** An action whose runs end when the test says so. */
function controlled() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const action = () => new Promise<void>((resolve, reject) => ends.push({ resolve, reject }));
  return { ends, action };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

test('coalesce merges calls during a run into one more run', async () => {
  const { ends, action } = controlled();
  const restart = coalesce(action);
  const first = restart();
  const others = [restart(), restart(), restart()];
  assert.equal(ends.length, 1);
  ends[0]?.resolve();
  await first;
  await settled();
  assert.equal(ends.length, 2);
  ends[1]?.resolve();
  await Promise.all(others);
  assert.equal(ends.length, 2);
  void restart();
  assert.equal(ends.length, 3);
});

test('coalesce runs the queued call although the run failed', async () => {
  const { ends, action } = controlled();
  const restart = coalesce(action);
  const first = restart();
  const second = restart();
  ends[0]?.reject(new Error('no'));
  await assert.rejects(first, /no/);
  await settled();
  ends[1]?.resolve();
  await second;
  const third = restart();
  ends[2]?.resolve();
  await third;
});
