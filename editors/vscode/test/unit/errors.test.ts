import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorText, userError } from '../../src/errors';
import { plainText } from '../../src/plainText';
import { ServerError } from '../../src/server';

/** An error as vscode-jsonrpc rejects a request with. */
function responseError(code: number, message: string, data?: unknown): Error {
  return Object.assign(new Error(message), { code, data });
}

test('no text of the container becomes a link', () => {
  assert.equal(plainText('Port 3000 ([x](command:y)) forwarded').includes(']('), false);
  assert.equal(plainText('a [b] (c)'), 'a [b] (c)');
});

test('userError reads the backend errors', () => {
  const data = { kind: 'noEngine', hint: 'start Docker, or set DOCKER_HOST', retryable: true };
  const error = userError(responseError(1001, 'no Docker engine answers', data));
  assert.deepEqual(error, { message: 'no Docker engine answers', ...data });
  assert.equal(error && errorText(error), 'No Docker engine answers. Start Docker, or set DOCKER_HOST.');
});

test('userError has nothing to say about what was cancelled', () => {
  assert.equal(userError(responseError(-32800, 'cancelled')), undefined);
  assert.equal(userError(responseError(1, 'cancelled', { kind: 'cancelled' })), undefined);
});

test('userError makes do with anything', () => {
  const cases: [unknown, string][] = [
    [new ServerError('Not found.', 'Install it.'), 'Not found. Install it.'],
    [new Error('connection got disposed'), 'Connection got disposed.'],
    ['a string', 'A string.'],
    [responseError(7, 'many\n  lines', { hint: 5 }), 'Many lines.'],
    [responseError(7, '', null), 'The request failed.'],
    [null, 'The request failed.'],
    [{ message: 42 }, 'The request failed.'],
  ];
  for (const [error, want] of cases) {
    const known = userError(error);
    assert.equal(known && errorText(known), want);
  }
});
