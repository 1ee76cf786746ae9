// The extension in a real workbench, against the real backend and a real Docker engine.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './lib/eventually.mjs';
import { modelKey, startModel } from './lib/model.mjs';
import { createRepository } from './lib/repository.mjs';
import { isAlive } from './lib/stub.mjs';
import { freePort, Workbench } from './lib/workbench.mjs';

const backend = process.env.E2E_BACKEND;
const baseImage =
  process.env.SKETCH_IDE_TEST_BASE ?? process.env.SKETCH_IDE_BASE_IMAGE ?? 'sketch-ide/debian:bookworm';
let settings = { 'sketch.baseImage': baseImage, 'sketch.sshConfig': 'never' };
const page = '<h1>hello from inside</h1>\n';
const program = `from http.server import HTTPServer, SimpleHTTPRequestHandler

# Everything in this folder is a page of the guest book.
address = ("127.0.0.1", 3000)

print("serving on port", address[1])
HTTPServer(address, SimpleHTTPRequestHandler).serve_forever()
`;

const commit = "printf 'hello, everybody\\n' >greeting.md && git add -A && git commit -qm 'Greet everybody'";
const scenario = [
  {
    expect: { last: ['Greet everybody, please.'], tools: ['bash'] },
    reply: [{ text: 'I will greet **everybody**.' }, { tool: 'bash', input: { command: commit } }],
    usage: { input: 9000, output: 400 },
  },
  { reply: [{ text: 'Done: everybody is greeted.' }], usage: { input: 9500, output: 60 } },
  { expect: { last: ['Greet strangers, too.'] }, reply: [{ text: 'Strangers are greeted already.' }] },
];

describe('the extension with the real backend', () => {
  const repository = createRepository({
    'index.html': page,
    'server.py': program,
    'greeting.md': 'hello from inside\n',
  });
  const state = path.join(repository.directory, '.git/sketch-e2e-state');
  const env = { ...process.env, XDG_STATE_HOME: state, SKETCH_E2E_KEY: modelKey };
  let workbench;
  let model;
  let session;
  let server;
  let url;

  const sketch = async (...args) => (await promisify(execFile)(backend, args, { env })).stdout;
  const sessions = async () => JSON.parse(await sketch('ps', '--json')).sessions ?? [];
  const own = async () => (await sessions()).filter(entry => entry.folder === repository.directory);
  // Each window has a log of its own; lines begin with their time.
  const backendPid = () =>
    Number([...workbench.outputLog().matchAll(/^.*backend (\d+) started/gm)].sort().at(-1)?.[1]);
  const statusText = async () => (await workbench.statusItem.innerText()).trim();
  const fetched = async () => await (await fetch(url)).text();
  const said = (chat, text) =>
    chat
      .locator('article[aria-label="Agent"]', { hasText: text })
      .waitFor()
      .catch(async error => {
        await workbench.screenshot('failed');
        throw error;
      });
  const refused = () =>
    fetch(url).then(
      () => false,
      () => true,
    );

  before(async () => {
    model = await startModel(scenario);
    settings = { ...settings, 'sketch.models': [model.setting] };
    workbench = await Workbench.open({ folder: repository.directory, env, settings });
  });
  after(async () => {
    await workbench?.close();
    server?.kill();
    model?.stop();
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
      120_000,
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

  test('a terminal of the profile is a shell inside', async () => {
    await workbench.run('Sketch: Open Terminal in Session');
    await workbench.page
      .locator('.terminal-wrapper.active .xterm-helper-textarea')
      .waitFor({ state: 'attached' });
    const rows = workbench.page.locator('.terminal-wrapper.active .xterm-rows');
    await eventually('a prompt', async () => /[#$]/.test(await rows.innerText()));
    await workbench.page.keyboard.type('echo inside $((6*7)) of $(basename $PWD)\n');
    await eventually('the answer', async () => /inside 42 of guestbook/.test(await rows.innerText()));
    await workbench.screenshot('terminal');
    await workbench.run('Terminal: Kill All Terminals');
  });

  test('a commit inside is a branch here: its files are listed, and open as a diff', async () => {
    const commit = [
      `sed -i 's/hello from inside/welcome, friends/' greeting.md`,
      'printf "Ada was here.\\n" >entries.txt',
      'git add -A',
      'git commit -qm "Welcome friends"',
    ];
    await sketch('ssh', session.name, '--', commit.join(' && '));
    await workbench.openView('Sketch');
    const changes = workbench.pane('Changes');
    await changes.getByText('entries.txt').waitFor();
    await changes.getByText('greeting.md').click();
    const right = workbench.page.locator('.editor.modified .view-lines');
    await eventually('the new text', async () => /welcome,\sfriends/.test(await right.innerText()));
    const left = workbench.page.locator('.editor.original .view-lines');
    await eventually('the old text', async () => /hello\sfrom/.test(await left.innerText()));
    await workbench.screenshot('diff');
  });

  test('a comment on a line outlives the backend', async () => {
    await workbench.commentOn(1, 'Greet strangers, too.');
    const comment = workbench.page.locator('.review-comment', { hasText: 'Greet strangers, too.' });
    await comment.waitFor();
    await workbench.screenshot('comment');
    const pid = backendPid();
    await workbench.run('Sketch: Restart Backend');
    await eventually('another backend', () => backendPid() !== pid);
    await comment.waitFor();
  });

  test('uncommitted files are shown on request', async () => {
    await sketch('ssh', session.name, '--', 'echo later >later.txt');
    await workbench.run('Sketch: Include Uncommitted Changes');
    await workbench.pane('Changes').getByText('later.txt').waitFor();
    await workbench.run('Sketch: Only Committed Changes');
    await workbench.pane('Changes').getByText('later.txt').waitFor({ state: 'detached' });
  });

  test('the branch is merged, after a prediction', async () => {
    await workbench.run('Sketch: Merge the Session');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('into main?').waitFor();
    await workbench.screenshot('merge');
    await dialog.getByRole('button', { name: 'Merge', exact: true }).click();
    await workbench.toast(/^Merged sketch\/.* into main: 1 commit\./).waitFor();
    assert.equal(repository.git('log', '-1', '--format=%s'), 'Welcome friends');
    assert.equal(readFileSync(path.join(repository.directory, 'entries.txt'), 'utf8'), 'Ada was here.\n');
    assert.equal(repository.git('status', '--porcelain'), '');
  });

  test('a conflict is told, and nothing is done', async () => {
    repository.write('greeting.md', 'mine\n');
    repository.git('commit', '-qam', 'mine');
    await sketch('ssh', session.name, '--', 'echo theirs >greeting.md && git commit -qam theirs');
    await workbench
      .pane('Changes')
      .getByText(/2 commits/)
      .waitFor();
    await workbench.run('Sketch: Merge the Session');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('conflicts with main').waitFor();
    await dialog.getByText('greeting.md').waitFor();
    await workbench.screenshot('conflict');
    await workbench.page.keyboard.press('Escape');
    assert.equal(repository.git('log', '-1', '--format=%s'), 'mine');
    assert.equal(repository.git('status', '--porcelain'), '');
  });

  test('main is reset to the branch, after it was said what is left behind', async () => {
    await workbench.run('Sketch: Reset to the Session');
    await workbench.dialog.getByText('1 commit that only main has will be left behind.').waitFor();
    await workbench.screenshot('reset');
    await workbench.dialog.getByRole('button', { name: 'Reset', exact: true }).click();
    await workbench.toast(/^Reset main to sketch\//).waitFor();
    assert.equal(repository.git('log', '-1', '--format=%s'), 'theirs');
    assert.equal(readFileSync(path.join(repository.directory, 'greeting.md'), 'utf8'), 'theirs\n');
    assert.equal(repository.git('status', '--porcelain'), '');
  });

  test('a port is moved to another number', async () => {
    await workbench.run('Sketch: Change Local Address Port');
    await workbench.quickInput.waitFor();
    const other = await freePort();
    await workbench.quickInput.fill(String(other));
    await workbench.page.keyboard.press('Enter');
    await workbench.pane('Ports').getByText(`3000 → ${other}`).waitFor();
    url = `http://localhost:${other}/`;
    await eventually('the page', async () => (await fetched()) === page);
    await workbench.screenshot('view');
  });

  test('a prompt is answered by the agent inside; its commit is on the branch here', async () => {
    await workbench.openView('Sketch Chat');
    const chat = await workbench.webview('#chat');
    await chat.getByLabel('Message to the agent').fill('Greet everybody, please.');
    await chat.getByLabel('Message to the agent').press('Enter');
    await said(chat, 'Done: everybody is greeted.');
    await chat.locator('article.tool', { hasText: 'bash' }).locator('summary').first().click();
    await chat.getByText(/^\$0\.\d\d$/).waitFor();
    await workbench.screenshot('chat');
    const branch = () => repository.git('for-each-ref', '--format=%(subject)', 'refs/heads/sketch/');
    await eventually('the commit', () => branch().includes('Greet everybody'));
  });

  test('its commit is cherry-picked onto mine, more of them are squashed into one', async () => {
    repository.write('mine.md', 'mine\n');
    repository.git('add', '.');
    repository.git('commit', '-qm', 'my own');
    await workbench.run('Sketch: Cherry-Pick the Session');
    await workbench.dialog.getByText(/Cherry-pick 1 commit of .* onto main\?/).waitFor();
    await workbench.screenshot('cherry-pick');
    await workbench.dialog.getByRole('button', { name: 'Cherry-pick', exact: true }).click();
    await workbench.toast(/^Cherry-picked 1 commit of sketch\//).waitFor();
    assert.deepEqual(repository.git('log', '-2', '--format=%s').split('\n'), ['Greet everybody', 'my own']);

    const commit = name => `echo ${name} >${name}.txt && git add ${name}.txt && git commit -qm ${name}`;
    await sketch('ssh', session.name, '--', `${commit('one')} && ${commit('two')}`);
    const tip = () => repository.git('for-each-ref', '--format=%(subject)', 'refs/heads/sketch/');
    await eventually('the commits', () => tip() === 'two');
    await workbench.run('Sketch: Squash the Session');
    await workbench.dialog.getByRole('button', { name: 'Squash', exact: true }).click();
    await workbench.toast(/^Squashed \d commits of sketch\//).waitFor();
    assert.equal(repository.git('log', '-1', '--skip=1', '--format=%s'), 'Greet everybody');
    assert.deepEqual(repository.git('ls-files', 'one.txt', 'two.txt').split('\n'), ['one.txt', 'two.txt']);
    assert.equal(repository.git('status', '--porcelain'), '');
  });

  test('the comment is sent to the agent, which answers', async () => {
    await workbench.run('Sketch: Send Comments to the Agent');
    await workbench.toast('Sent 1 comment on 1 file to the agent.').waitFor();
    const chat = await workbench.webview('#chat');
    await said(chat, 'Strangers are greeted already.');
    await chat.locator('article[aria-label="You"]', { hasText: 'greeting.md' }).waitFor();
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
    await workbench.openView('Sketch Chat');
    const chat = await workbench.webview('#chat');
    await said(chat, 'Done: everybody is greeted.');
    await workbench.openView('Sketch');
    await workbench.pane('Changes').getByText('greeting.md').waitFor();
    await workbench.screenshot('reload');
  });

  test('of two windows on the folder, one announces a port', async () => {
    const first = workbench.page;
    await workbench.openWindow();
    const windows = [first, workbench.page];
    const more = spawn(
      backend,
      ['ssh', session.name, '--', 'python3', '-m', 'http.server', '3100', '-b', '127.0.0.1'],
      { env },
    );
    try {
      for (const page of windows) {
        const item = page.locator('.statusbar-item[id="sketch-ide.sketch-ide.sketch.status"]');
        await eventually('the count', async () => /^Sketch\s+2$/.test((await item.innerText()).trim()));
      }
      const toasts = page => page.locator('.notification-toast', { hasText: 'Port 3100' }).count();
      const counts = () => Promise.all(windows.map(toasts));
      await eventually('a toast', async () => (await counts()).some(count => count > 0));
      await workbench.run('Sketch: Show Ports');
      await workbench.quickRows.filter({ hasText: '3100' }).waitFor();
      await workbench.page.keyboard.press('Escape');
      assert.deepEqual((await counts()).sort(), [0, 1]);
    } finally {
      more.kill();
    }
    await first.close({ runBeforeUnload: true });
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

  test('nothing was written to the host’s repository but its branch, and what was merged', () => {
    assert.equal(repository.git('status', '--porcelain'), '');
    const refs = repository.git('for-each-ref', '--format=%(refname)').split('\n');
    assert.deepEqual(
      refs.filter(ref => !/^refs\/(heads\/)?sketch\//.test(ref)),
      ['refs/heads/main'],
    );
    assert.equal(readFileSync(path.join(repository.directory, 'index.html'), 'utf8'), page);
  });
});
