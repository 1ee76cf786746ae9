// The extension in a real workbench, against the real backend and a real Docker engine.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './lib/eventually.mjs';
import { createRepository } from './lib/repository.mjs';
import { isAlive } from './lib/stub.mjs';
import { Workbench } from './lib/workbench.mjs';

const backend = process.env.E2E_BACKEND;
const baseImage =
  process.env.SKETCH_IDE_TEST_BASE ?? process.env.SKETCH_IDE_BASE_IMAGE ?? 'sketch-ide/debian:bookworm';
const settings = { 'sketch.baseImage': baseImage, 'sketch.sshConfig': 'never' };
const page = '<h1>hello from inside</h1>\n';
const program = `from http.server import HTTPServer, SimpleHTTPRequestHandler

# Everything in this folder is a page of the guest book.
address = ("127.0.0.1", 3000)

print("serving on port", address[1])
HTTPServer(address, SimpleHTTPRequestHandler).serve_forever()
`;

describe('the extension with the real backend', () => {
  const repository = createRepository({ 'index.html': page, 'server.py': program });
  const state = path.join(repository.directory, '.git/sketch-e2e-state');
  const env = { ...process.env, XDG_STATE_HOME: state };
  let workbench;
  let session;
  let server;
  let url;

  const sketch = async (...args) => (await promisify(execFile)(backend, args, { env })).stdout;
  const sessions = async () => JSON.parse(await sketch('ps', '--json')).sessions ?? [];
  const own = async () => (await sessions()).filter(entry => entry.folder === repository.directory);
  const backendPid = () => Number([...workbench.outputLog().matchAll(/backend (\d+) started/g)].at(-1)?.[1]);
  const statusText = async () => (await workbench.statusItem.innerText()).trim();
  const fetched = async () => await (await fetch(url)).text();
  const refused = () =>
    fetch(url).then(
      () => false,
      () => true,
    );

  before(async () => {
    workbench = await Workbench.open({ folder: repository.directory, env, settings });
  });
  after(async () => {
    await workbench?.close();
    server?.kill();
    for (const { name } of await own()) await sketch('rm', name);
    repository.remove();
  });

  test('Start Session starts a container with the repository, and shows the progress', async () => {
    await workbench.run('Sketch: Start Session');
    await workbench.toast(/Starting/).waitFor();
    await workbench.screenshot('progress');
    session = await eventually(
      'the session',
      async () => (await own()).find(s => s.state === 'connected'),
      60_000,
    );
    await workbench.toast(/Starting/).waitFor({ state: 'hidden' });
    await eventually('the status item', async () => (await statusText()) === 'Sketch');
  });

  test('a server inside is announced', async () => {
    await workbench.openFile('server.py');
    server = spawn(backend, ['ssh', session.name, '--', 'python3', 'server.py'], { env });
    const toast = workbench.toast(/Port 3000 .*forwarded/);
    await toast.waitFor();
    for (const name of ['Preview', 'Copy URL', 'Stop Forwarding'])
      await toast.getByRole('button', { name }).waitFor();
    await workbench.screenshot('toast');
    await eventually('the count', async () => /^Sketch\s+1$/.test(await statusText()));
  });

  test('Open in Browser opens the page that the server inside gives', async () => {
    const button = workbench.toast('Port 3000').getByRole('button', { name: 'Open in Browser' });
    const popup = await workbench.opened(() => button.click());
    assert.equal(await popup.locator('h1').innerText(), 'hello from inside');
    url = /opening (\S+) in the browser/.exec(workbench.outputLog())?.[1];
    assert.match(url, /^http:\/\/localhost:3\d{3}\/?$/);
    assert.equal(new URL(popup.url()).pathname, `/proxy/${new URL(url).port}/`);
    await popup.close();
    assert.equal(await fetched(), page);
  });

  test('Show Ports lists it', async () => {
    await workbench.run('Sketch: Show Ports');
    const row = workbench.quickRows.filter({ hasText: '3000' });
    await row.waitFor();
    assert.ok((await row.innerText()).includes(new URL(url).host));
    await workbench.screenshot('ports');
    await workbench.page.keyboard.press('Escape');
  });

  test('a preview shows it in the editor', async () => {
    await workbench.run('Sketch: Show Ports');
    const row = workbench.quickRows.filter({ hasText: '3000' });
    await row.hover();
    await row.getByRole('button', { name: 'Preview in Editor' }).click();
    const tab = workbench.page.locator('.tab', { hasText: 'Simple Browser' });
    await tab.waitFor();
    await eventually('the page', () =>
      workbench.page.frames().find(frame => frame.url().includes(`/proxy/${new URL(url).port}/`)),
    );
    await workbench.screenshot('preview');
    await tab.getByRole('button', { name: /Close/ }).click();
    await tab.waitFor({ state: 'detached' });
  });

  test('a killed backend is started again and loses nothing', async () => {
    const pid = backendPid();
    process.kill(pid, 'SIGKILL');
    await eventually('another backend', () => backendPid() !== pid);
    await eventually('the count', async () => /^Sketch\s+1$/.test(await statusText()));
    await eventually('the page', async () => (await fetched()) === page);
    assert.equal((await own())[0].name, session.name);
  });

  test('a closed window ends the backend and keeps the session; the next window has it again', async () => {
    const pid = backendPid();
    await workbench.closeWindow();
    await eventually('the backend is gone', () => !isAlive(pid));
    await eventually('nothing of ours listens', refused);
    assert.equal((await own())[0]?.name, session.name);
    await workbench.openWindow();
    await eventually('the count', async () => /^Sketch\s+1$/.test(await statusText()));
    await eventually('the page', async () => (await fetched()) === page);
  });

  test('Show Status says it all', async () => {
    await workbench.run('Sketch: Show Status');
    const editor = workbench.page.locator('.editor-instance .view-lines');
    const text = await eventually('the report', async () => {
      const shown = (await editor.innerText()).replace(/\s/g, ''); // lines are wrapped anywhere
      return shown.includes(session.name) && shown;
    });
    await workbench.screenshot('status');
    assert.ok(text.includes('(fromtheextension)'), text);
  });

  test('Stop Session removes the container and the listener', async () => {
    await workbench.run('Sketch: Stop Session');
    await workbench.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Stop Session' }).click();
    await eventually('the session is gone', async () => (await own()).length === 0);
    await eventually('nothing listens', refused);
    await eventually('the status item', async () => (await statusText()) === 'Sketch');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });

  test('a killed editor leaves no backend', async () => {
    const pid = backendPid();
    const editor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
    process.kill(editor, 'SIGKILL');
    await eventually('the backend is gone', () => !isAlive(pid));
    await workbench.closeWindow();
  });

  test('without Docker, one sentence says so, with a hint', async () => {
    const wrapper = path.join(workbench.home, 'sketch-ide-without-docker');
    writeFileSync(wrapper, `#!/bin/sh\nDOCKER_HOST=unix:///nonexistent/docker.sock exec '${backend}' "$@"\n`);
    chmodSync(wrapper, 0o755);
    workbench.configure({ ...settings, 'sketch.serverPath': wrapper });
    await workbench.openWindow();
    await workbench.run('Sketch: Start Session');
    const toast = workbench.toast(/Docker/);
    await toast.getByRole('button', { name: 'Try Again' }).waitFor();
    await workbench.toast(/Starting/).waitFor({ state: 'hidden' });
    await workbench.screenshot('no-docker');
    const [first, ...hint] = (await toast.locator('.notification-list-item-message').innerText()).split('. ');
    assert.match(first, /engine/i);
    assert.ok(hint.join('').length > 10, 'a hint');
  });

  test('the host repository was not written to', () => {
    assert.equal(repository.git('status', '--porcelain'), '');
    assert.equal(repository.git('for-each-ref', '--format=%(refname)'), 'refs/heads/main');
    assert.equal(readFileSync(path.join(repository.directory, 'index.html'), 'utf8'), page);
  });
});
