// The extension in a real workbench, against the stand-in: what the real backend cannot be made to do on demand.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from './lib/eventually.mjs';
import { createRepository } from './lib/repository.mjs';
import { isAlive, Stub } from './lib/stub.mjs';
import { Workbench } from './lib/workbench.mjs';

const repository = createRepository();
after(() => repository.remove());

const vite = { number: 3000, hostPort: 3001, reason: '3000 in use', process: 'vite' };

describe('the extension in a workbench', () => {
  const stub = new Stub();
  let workbench;

  before(async () => {
    workbench = await Workbench.open({ folder: repository.directory, env: stub.env() });
  });
  after(async () => {
    await workbench?.close();
    stub.remove();
  });

  test('the backend is told who speaks and what it can do', async () => {
    const { params } = await stub.received('initialize', message => message.method === 'initialize');
    assert.deepEqual(params.capabilities.experimental.sketch, {
      version: 1,
      actions: ['preview', 'copyUrl'],
      userSettings: true,
    });
    assert.deepEqual(params.initializationOptions, { notifications: 'actions' });
    assert.match(params.workspaceFolders[0].uri, /^file:.*\/guestbook$/);
    assert.ok(stub.record().every(message => !/^textDocument/.test(message.method ?? '')));
  });

  test('Start Session starts one for the folder', async () => {
    await workbench.run('Sketch: Start Session');
    const { params } = await stub.received(
      'sketch.start',
      message => message.params?.command === 'sketch.start',
    );
    assert.deepEqual(params.arguments, [{ folder: repository.directory }]);
    await eventually(
      'the status item',
      async () => (await workbench.statusItem.innerText()).trim() === 'Sketch',
    );
  });

  test('a forwarded port is announced with its buttons', async () => {
    await stub.tell({ op: 'port', port: vite });
    const toast = workbench.toast('Port 3000 (vite) forwarded to 3001 (3000 in use)');
    await toast.waitFor();
    for (const name of ['Open in Browser', 'Preview', 'Copy URL', 'Stop Forwarding']) {
      await toast.getByRole('button', { name }).waitFor();
    }
    await workbench.toast('Starting session').waitFor({ state: 'hidden' });
    await workbench.screenshot('stub-toast');
    await toast.getByRole('button', { name: 'Copy URL' }).click();
    await eventually('the clipboard', async () => (await workbench.clipboard()) === 'http://localhost:3001/');
    await stub.received('the answer', message => message.result?.action === 'copyUrl');
  });

  test('the status item counts the ports', async () => {
    await eventually('the count', async () =>
      /^Sketch\s+1$/.test((await workbench.statusItem.innerText()).trim()),
    );
  });

  test('Open in Browser opens the URL of the host', async () => {
    await stub.tell({ op: 'port', port: vite });
    const button = workbench.toast('Port 3000').getByRole('button', { name: 'Open in Browser' });
    const popup = await workbench.opened(() => button.click());
    await popup.close();
    assert.match(workbench.outputLog(), /opening http:\/\/localhost:3001\/ in the browser/);
    await stub.received('shown', message => message.result?.success === true);
  });

  test('Preview opens an editor', async () => {
    await stub.tell({ op: 'port', port: vite });
    await workbench.toast('Port 3000').getByRole('button', { name: 'Preview' }).click();
    const tab = workbench.page.locator('.tab', { hasText: 'Simple Browser' });
    await tab.waitFor();
    await tab.getByRole('button', { name: /Close/ }).click();
  });

  test('Show Ports lists the port; its buttons work', async () => {
    await workbench.run('Sketch: Show Ports');
    const row = workbench.quickRows.filter({ hasText: '3000 → 3001' });
    await row.waitFor();
    assert.match(await row.innerText(), /vite[\s\S]*http:\/\/localhost:3001\/ \(3000 in use\)/);
    await stub.tell({ op: 'port', port: { number: 5173 } });
    await workbench.quickRows.filter({ hasText: '5173' }).waitFor();
    await workbench.screenshot('stub-ports');
    await row.hover();
    await row.getByRole('button', { name: 'Stop Forwarding' }).click();
    const { params } = await stub.received(
      'unforward',
      message => message.params?.command === 'sketch.unforward',
    );
    assert.deepEqual(params.arguments, [{ session: 'sketch-stub-otter', port: 3000 }]);
  });

  test('Copy SSH Command copies', async () => {
    await workbench.run('Sketch: Copy SSH Command');
    await workbench.toast('Copied: ssh sketch-stub-otter').waitFor();
    assert.equal(await workbench.clipboard(), 'ssh sketch-stub-otter');
  });

  test('a late click on a port that is gone says so', async () => {
    const popup = await workbench.opened(() => workbench.run('Sketch: Open Port in Browser')); // 5173, the only one
    await popup.close();
    await stub.tell({ op: 'send', message: { method: '$/sketch/ports', params: ghostPorts(9999) } });
    await workbench.run('Sketch: Open Port in Browser');
    await workbench.toast('Port 9999 is not open.').waitFor();
  });

  test('Show Status shows what runs', async () => {
    await workbench.run('Sketch: Show Status');
    const editor = workbench.page.locator('.editor-instance .view-lines');
    await eventually('the report', async () => (await editor.innerText()).includes('container'));
    await workbench.screenshot('stub-status');
  });

  test('changed settings are told', async () => {
    repository.write('.vscode/settings.json', '{"sketch.notifications": "none"}');
    const sent = await stub.received(
      'settings',
      message => message.method === 'workspace/didChangeConfiguration',
    );
    assert.deepEqual(sent.params, { settings: { sketch: { notifications: 'none' } } });
  });

  test('a lost connection shows in the status item', async () => {
    await stub.tell({ op: 'session', session: { state: 'lost' } });
    await eventually('the warning', async () =>
      /connection lost/.test(await workbench.statusItem.innerText()),
    );
    await workbench.screenshot('stub-lost');
    await stub.tell({ op: 'session', session: { state: 'connected' } });
  });

  test('Stop Session asks first', async () => {
    await workbench.run('Sketch: Stop Session');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    await workbench.screenshot('stub-stop');
    await dialog.getByRole('button', { name: 'Stop Session' }).click();
    await stub.received('sketch.stop', message => message.params?.command === 'sketch.stop');
  });

  test('the start of a session can be cancelled', async () => {
    await stub.tell({ op: 'hold' });
    await workbench.run('Sketch: Start Session');
    const progress = workbench.toast('Starting session');
    await eventually('the step', async () => (await progress.innerText()).includes('step 3/7'));
    await workbench.screenshot('stub-progress');
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await stub.received('the cancel', message => message.method === 'window/workDoneProgress/cancel');
    await progress.waitFor({ state: 'hidden' });
    assert.equal(await workbench.toast('cancel').count(), 0);
  });

  test('a crashed backend is started again, and given up after five crashes', async () => {
    for (let starts = 1; starts <= 5; starts++) {
      await eventually(`start ${starts}`, () => initialized(stub) === starts);
      await stub.tell({ op: 'exit', code: 7 });
    }
    const toast = workbench.toast('The Sketch backend crashed too often: the stub was told to crash.');
    await toast.waitFor();
    await workbench.screenshot('stub-crashed');
    assert.equal(stub.starts().length, 5);
    await toast.getByRole('button', { name: 'Restart Backend' }).click();
    await eventually('a start on request', () => initialized(stub) === 6);
  });

  test('a closed window ends the backend', async () => {
    const pid = stub.starts().at(-1);
    await workbench.closeWindow();
    await eventually('the backend is gone', () => !isAlive(pid));
    const methods = stub.record().flatMap(message => message.method ?? []);
    assert.deepEqual(methods.slice(-2), ['shutdown', 'exit']);
  });

  test('a missing backend is told when it is wanted, and not before', async () => {
    workbench.configure({ 'sketch.serverPath': '/nowhere/sketch-ide' });
    await workbench.openWindow();
    await eventually('the log', () => /serverPath names \/nowhere/.test(workbench.outputLog()));
    assert.equal(await workbench.toast('/nowhere').count(), 0);
    await workbench.run('Sketch: Start Session');
    await workbench
      .toast('sketch.serverPath names /nowhere/sketch-ide, which is not an executable file.')
      .waitFor();
    await workbench.screenshot('stub-missing');
    await workbench.closeWindow();
  });

  test('a session starts by itself where the user wants that', async () => {
    workbench.configure({ 'sketch.autoStart': true });
    const starts = () => stub.record().filter(message => message.params?.command === 'sketch.start').length;
    const before = starts();
    await workbench.openWindow();
    await eventually('the start', () => starts() === before + 1);
    await eventually(
      'the status item',
      async () => (await workbench.statusItem.innerText()).trim() === 'Sketch',
    );
  });
});

describe('in Restricted Mode', () => {
  const stub = new Stub();
  let workbench;

  before(async () => {
    workbench = await Workbench.open({ folder: repository.directory, env: stub.env(), trusted: false });
  });
  after(async () => {
    await workbench?.close();
    stub.remove();
  });

  test('nothing is started, and the view says why', async () => {
    await workbench.openView('Sketch');
    await workbench.pane('Sessions').getByText('This folder is in Restricted Mode.').waitFor();
    await workbench.screenshot('stub-restricted');
    await workbench.page.keyboard.press('F1');
    await workbench.quickInput.fill('>Sketch: ');
    await workbench.quickRows.filter({ hasText: 'Sketch: Show Status' }).first().waitFor();
    assert.equal(await workbench.quickRows.filter({ hasText: 'Sketch: Start Session' }).count(), 0);
    await workbench.page.keyboard.press('Escape');
    await workbench.follow('vscode://sketch-ide.sketch-ide/port/3000');
    await workbench.dialog.getByRole('button', { name: 'Open' }).click();
    await workbench.toast('Port 3000 is not open.').waitFor();
    assert.deepEqual(stub.starts(), []);
  });

  test('trust starts the backend', async () => {
    await workbench.pane('Sessions').getByRole('button', { name: 'Manage Workspace Trust' }).click();
    await workbench.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
    await eventually('the backend', () => initialized(stub) === 1);
    await workbench.pane('Sessions').getByText('No sessions on this machine.').waitFor();
  });
});

const initialized = stub => stub.record().filter(message => message.method === 'initialized').length;

function ghostPorts(number) {
  const port = { number, hostPort: number, url: `http://localhost:${number}/`, status: 'forwarded' };
  return { session: 'sketch-stub-otter', owner: true, ports: [{ ...port, action: 'notify', addresses: [] }] };
}
