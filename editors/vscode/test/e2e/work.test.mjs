// The Sketch view in a workbench, against the stand-in: conversation, changes, comments, merge, what a reload brings back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from './lib/eventually.mjs';
import { installTestExtension } from './lib/extension.mjs';
import { createRepository } from './lib/repository.mjs';
import { Stub } from './lib/stub.mjs';
import { Workbench } from './lib/workbench.mjs';
import { assertAccessible, screenReaderSteps } from './steps/accessibility.mjs';
import { attachmentSteps, keyboardSteps } from './steps/composer.mjs';
import { linkSteps } from './steps/links.mjs';
import { nativeChatSteps } from './steps/native.mjs';
import { commentSteps, mergeSteps, otherBranchSteps } from './steps/review.mjs';

const repository = createRepository();
after(() => repository.remove());

describe('the Sketch view', () => {
  const stub = new Stub();
  let workbench;
  let chat;

  const command = name => stub.record().filter(message => message.params?.command === name);
  const argument = message => message.params.arguments[0];
  const lastArgument = name => argument(command(name).at(-1));
  /** What the steps in files of their own work with. */
  const view = {
    ...{ stub, command, argument, lastArgument, workbench: () => workbench },
    get chat() {
      return chat;
    },
    /** Shows the chat where it is not shown; its page is made anew each time, and has all of the conversation again. */
    openChat: async () => {
      await workbench.openView('Sketch Chat');
      return await view.shownChat();
    },
    /** The chat that something else shows. */
    shownChat: async () => {
      chat = await workbench.webview('#chat');
      return chat;
    },
  };

  before(async () => {
    const proposed = ['sketch-ide-test.chat-model'];
    const settings = { 'sketch.trace.server': 'verbose' };
    workbench = await Workbench.open({ folder: repository.directory, env: stub.env(), settings, proposed });
  });
  after(async () => {
    await workbench?.close();
    stub.remove();
  });

  test('it offers a session where there is none', async () => {
    await workbench.openView('Sketch');
    const welcome = workbench.pane('Sessions');
    await welcome.getByText('No sessions on this machine.').waitFor();
    await workbench.pane('Changes').getByText('What is committed in a session appears here').waitFor();
    assert.equal(await workbench.pane('Ports').getByRole('button', { name: 'Forward a Port' }).count(), 0);
    await workbench.screenshot('stub-welcome');
    await view.openChat();
    await chat.getByText('Give the agent a container of its own').waitFor();
    await workbench.screenshot('stub-chat-empty');
    await assertAccessible(chat, 'without a session');
    await chat.getByRole('button', { name: 'Start Session' }).click();
    await chat.getByText('Say what you want to have done.').waitFor();
  });

  test('a prompt is answered: text, tools with output, a screenshot, the plan, the cost', async () => {
    await chat.getByLabel('Message to the agent').fill('Add a form');
    await chat.getByLabel('Message to the agent').press('Enter');
    await chat.getByText('Done: the guest book has a form').waitFor();
    assert.equal(lastArgument('sketch.prompt').text, 'Add a form');
    assert.equal(await chat.getByLabel('Message to the agent').inputValue(), '');
    await chat.locator('article[aria-label="You"]').getByText('Add a form').waitFor();
    await chat.locator('strong', { hasText: 'form' }).waitFor();
    await chat.getByText('python3 -m unittest').click();
    await chat.getByText('Ran 3 tests').waitFor();
    await chat.getByText('index.html', { exact: true }).last().click();
    await chat.locator('.diff .added', { hasText: 'Sign here' }).waitFor();
    const image = chat.getByRole('img', { name: 'guest-book.png' });
    await eventually('the picture', () => image.evaluate(element => element.naturalWidth === 320));
    await chat.getByText('Plan 3/3').waitFor();
    await chat.getByText('$0.42').waitFor();
    await chat.getByText('18%').waitFor();
    await workbench.screenshot('stub-chat');
  });

  test('it follows the theme', async () => {
    const color = () => chat.evaluate(() => getComputedStyle(document.body).color);
    for (const [picture, theme] of [
      ['stub-chat-light', 'Light Modern'],
      ['stub-chat-contrast', 'Dark High Contrast'],
      ['stub-chat-contrast-light', 'Light High Contrast'],
      ['stub-chat-dark', 'Dark Modern'],
    ]) {
      const before = await color();
      await workbench.theme(theme);
      await eventually(theme, async () => (await color()) !== before);
      await workbench.screenshot(picture);
      await assertAccessible(chat, theme);
    }
  });

  screenReaderSteps(view);
  keyboardSteps(view);

  test('a running turn is steered, and stopped', async () => {
    await chat.getByLabel('Message to the agent').fill('wait for it');
    await chat.getByRole('button', { name: 'Send' }).click();
    await chat.getByRole('button', { name: 'Steer' }).waitFor();
    await workbench.screenshot('stub-chat-running');
    await assertAccessible(chat, 'while the agent works');
    await eventually('the status item is busy', async () =>
      /working/.test(await workbench.statusItem.getAttribute('aria-label')),
    );
    await chat.getByLabel('Message to the agent').fill('a blue one');
    await chat.getByRole('button', { name: 'Steer' }).click();
    await chat.getByRole('button', { name: 'Send' }).waitFor();
    await chat.getByLabel('Message to the agent').fill('wait again');
    await chat.getByLabel('Message to the agent').press('Enter');
    await chat.getByRole('button', { name: 'Stop' }).click();
    await chat.getByText('Stopped', { exact: true }).waitFor();
    assert.equal(command('sketch.cancel').length, 1);
  });

  test('a question is answered with a button', async () => {
    await chat.getByLabel('Message to the agent').fill('ask me');
    await chat.getByLabel('Message to the agent').press('Enter');
    await chat.getByText('Which colour should the button have?').waitFor();
    await workbench.screenshot('stub-question');
    await assertAccessible(chat, 'while the agent asks');
    await chat.getByRole('button', { name: 'Green' }).click();
    await chat.getByText('Answered: Green').waitFor();
    assert.equal(lastArgument('sketch.answer').answer, 'Green');
  });

  test('a selection goes with the prompt', async () => {
    await workbench.openFile('README.md');
    await workbench.run('Sketch: Add Selection to Chat');
    const chip = chat.locator('.chips li', { hasText: 'README.md' });
    await chip.waitFor();
    await workbench.focused(chat, '#prompt');
    await chat.getByLabel('Message to the agent').fill('What is this?');
    await chat.getByLabel('Message to the agent').press('Enter');
    await chip.waitFor({ state: 'detached' });
    await eventually('the prompt', () => lastArgument('sketch.prompt').text === 'What is this?');
    assert.deepEqual(lastArgument('sketch.prompt').context, [{ path: 'README.md' }]);
  });

  attachmentSteps(view);

  test('the agent’s commits are listed as changes, and open as a diff', async () => {
    await stub.tell({
      op: 'branch',
      branch: { exists: true, commit: 'fedcba', subject: 'Add a form', ahead: 2 },
    });
    await workbench.openView('Sketch');
    const changes = workbench.pane('Changes');
    for (const name of ['guestbook.py', 'server.py', 'notes.txt']) await changes.getByText(name).waitFor();
    await changes.getByText('guestbook.py').click();
    await workbench.page.locator('.tab', { hasText: 'guestbook.py (main ↔ sketch/guest-book)' }).waitFor();
    const right = workbench.page.locator('.editor.modified .view-lines');
    await eventually('the branch’s text', async () => (await right.innerText()).includes('Sign'));
    await workbench.screenshot('stub-diff');
  });

  test('a comment on a line is collected', async () => {
    await workbench.commentOn(5, 'Ask for the name first.');
    await eventually('the comment', () => command('sketch.comment').some(call => argument(call).text));
    assert.deepEqual(lastArgument('sketch.comment'), {
      session: 'sketch-stub-otter',
      path: 'guestbook.py',
      side: 'new',
      line: 5,
      text: 'Ask for the name first.',
    });
    await workbench.page.locator('.review-comment', { hasText: 'Ask for the name first.' }).waitFor();
    await workbench.screenshot('stub-comment');
  });

  commentSteps(view);

  test('comments are sent to the agent as one message', async () => {
    await workbench.run('Sketch: Send Comments to the Agent');
    await workbench.toast('Sent 1 comment on 1 file to the agent.').waitFor();
    assert.equal(lastArgument('sketch.comment').send, true);
    await workbench.page.locator('.review-comment').waitFor({ state: 'detached' });
    await view.openChat();
    await chat.getByText('guestbook.py:5: Ask for the name, then for the words.').waitFor();
    await chat.locator('article[aria-label="You"]').getByText('Add a form').waitFor({ state: 'attached' });
  });

  test('a conflict is predicted, and nothing is done', async () => {
    await stub.tell({ op: 'conflict', paths: ['guestbook.py'] });
    await workbench.run('Sketch: Merge the Session');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('conflicts with main').waitFor();
    await workbench.screenshot('stub-conflict');
    await dialog.getByRole('button', { name: 'Let the Agent Resolve It' }).click();
    await eventually('the prompt', () => /git fetch sketch-host/.test(lastArgument('sketch.prompt').text));
    await workbench.focused(chat, '#prompt');
    await chat.getByText('Done: the guest book has a form').last().waitFor();
    assert.ok(command('sketch.merge').every(call => argument(call).dryRun));
    await stub.tell({ op: 'conflict', paths: [] });
  });

  mergeSteps(view);
  otherBranchSteps(view);
  linkSteps(view);

  test('the Ports view lists ports; one is moved to another number', async () => {
    await stub.tell({
      op: 'port',
      port: { number: 3000, hostPort: 3001, reason: '3000 in use', process: 'vite' },
    });
    await workbench.openView('Sketch');
    const ports = workbench.pane('Ports');
    await ports.getByText('3000 → 3001').waitFor();
    await ports.getByText('localhost:3001 · vite').waitFor();
    await workbench.screenshot('stub-view');
    await workbench.run('Sketch: Change Local Address Port');
    await workbench.quickInput.waitFor();
    await workbench.quickInput.fill('4000');
    await workbench.page.keyboard.press('Enter');
    await ports.getByText('3000 → 4000').waitFor();
    assert.deepEqual(lastArgument('sketch.forward'), {
      session: 'sketch-stub-otter',
      port: 3000,
      hostPort: 4000,
    });
  });

  test('Don’t Show Again silences one port, in this folder', async () => {
    await workbench.toast('Port 3000').getByText('Don’t Show Again').click();
    await workbench.quickRows.filter({ hasText: 'Port 3000' }).click();
    const sent = await stub.received(
      'settings',
      message => message.params?.settings?.sketch?.portsAttributes,
    );
    assert.deepEqual(sent.params.settings.sketch.portsAttributes, { 3000: { onAutoForward: 'silent' } });
    assert.equal(repository.git('status', '--porcelain'), '');
  });

  test('a key is kept by the editor, and handed over at each connect; no log has it', async () => {
    await workbench.logLevel('Sketch', 'Trace');
    await workbench.run('Sketch: Set API Key');
    await workbench.quickRows.filter({ hasText: 'openai' }).first().click();
    await workbench.quickInput.waitFor();
    await eventually('stars', async () => (await workbench.quickInput.getAttribute('type')) === 'password');
    await workbench.quickInput.fill('sk-secret-of-the-test');
    await workbench.page.keyboard.press('Enter');
    await eventually('the key', () => command('sketch.setKey').length === 1);
    await workbench.run('Sketch: Restart Backend');
    await eventually('the key again', () => command('sketch.setKey').length === 2);
    assert.deepEqual(lastArgument('sketch.setKey'), { name: 'openai', key: 'sk-secret-of-the-test' });
    await eventually('the trace', () => workbench.outputLog().includes('"sketch.sessions"'));
    assert.ok(!workbench.outputLog().includes('sk-secret-of-the-test'));
  });

  test('Open in Remote - SSH without that extension offers the command', async () => {
    await workbench.run('Sketch: Start Session');
    await workbench.pane('Sessions').getByText('sketch/guest-book').waitFor();
    await workbench.run('Sketch: Open in Remote - SSH');
    const toast = workbench.toast('needs the extension Remote - SSH');
    await toast.getByRole('button', { name: 'Copy SSH Command' }).click();
    await eventually('the clipboard', async () => (await workbench.clipboard()) === 'ssh sketch-stub-otter');
  });

  test('Open in Remote - SSH asks before it changes the SSH configuration, and opens a window inside', async () => {
    await installTestExtension('remote-ssh');
    await workbench.closeWindow();
    await workbench.openWindow();
    await workbench.openView('Sketch');
    await workbench.run('Sketch: Start Session');
    await workbench.pane('Sessions').getByText('sketch/guest-book').waitFor();
    await workbench.run('Sketch: Open in Remote - SSH');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('Include ~/.config/sketch-ide/ssh_config').waitFor();
    await workbench.screenshot('stub-remote');
    const add = dialog.getByRole('button', { name: 'Add the Line' });
    const popup = await workbench.opened(() => add.click());
    await popup.close();
    assert.equal(lastArgument('sketch.sshConfig').action, 'install');
    const opened = 'opening a window on vscode-remote://ssh-remote+sketch-stub-otter/workspaces/app';
    assert.ok(workbench.outputLog().includes(opened));
  });

  test('the walkthrough opens', async () => {
    await workbench.run('Welcome: Open Walkthrough');
    await workbench.quickRows.filter({ hasText: 'Get Started with Sketch' }).first().click();
    await workbench.page.getByText('Take its work over').first().waitFor();
    await workbench.screenshot('stub-walkthrough');
  });

  test('Collect Diagnostics opens one text', async () => {
    await workbench.run('Sketch: Collect Diagnostics');
    const editor = workbench.page.locator('.editor-instance .view-lines').first();
    await eventually('the text', async () => /Settings|Checks/.test(await editor.innerText()));
  });

  nativeChatSteps(view);
});
