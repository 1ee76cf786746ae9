import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWebURL, Opener } from '../../src/opener';

function desktop(previewWorks = true) {
  const calls: string[] = [];
  const opener = new Opener({
    openExternal: async url => calls.push(`external ${url}`) > 0,
    openPreview: async url => calls.push(`preview ${url}`) > 0 && previewWorks,
    copy: async text => void calls.push(`copy ${text}`),
    openFolder: async uri => calls.push(`folder ${uri}`),
    log: () => {},
  });
  return { calls, opener };
}

test('a preview falls back to the browser', async () => {
  const { calls, opener } = desktop(false);
  assert.equal(await opener.preview('http://localhost:3000/'), true);
  assert.deepEqual(calls, ['preview http://localhost:3000/', 'external http://localhost:3000/']);
});

test('a preview that works opens no browser', async () => {
  const { calls, opener } = desktop();
  assert.equal(await opener.preview('http://localhost:3000/'), true);
  assert.deepEqual(calls, ['preview http://localhost:3000/']);
});

test('only web pages are opened', async () => {
  const { calls, opener } = desktop();
  for (const url of [
    'file:///etc/passwd',
    'javascript:alert(1)',
    'vscode://x/y',
    'command:x',
    'localhost',
    '',
  ]) {
    assert.equal(await opener.open(url), false, url);
    assert.equal(await opener.preview(url), false, url);
  }
  assert.deepEqual(calls, []);
  assert.equal(isWebURL('https://localhost:8443/'), true);
});

test('copy copies', async () => {
  const { calls, opener } = desktop();
  await opener.copy('http://localhost:3000/');
  assert.deepEqual(calls, ['copy http://localhost:3000/']);
});

test('only folders inside a session are opened as windows', async () => {
  const { calls, opener } = desktop();
  await opener.openFolder('vscode-remote://ssh-remote+sketch-brave-otter/workspaces/app');
  await opener.openFolder('file:///etc');
  assert.deepEqual(calls, ['folder vscode-remote://ssh-remote+sketch-brave-otter/workspaces/app']);
});
