// What goes with a prompt: files, pictures; and the chat without a mouse.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenshot } from '../../stub/picture.mjs';
import { eventually } from '../lib/eventually.mjs';

export function attachmentSteps(view) {
  const { workbench, lastArgument, command } = view;
  const chips = () => view.chat.locator('.chips li');
  const send = async text => {
    const sent = command('sketch.prompt').length;
    await view.chat.getByLabel('Message to the agent').fill(text);
    await view.chat.getByLabel('Message to the agent').press('Enter');
    await eventually('the prompt', () => command('sketch.prompt').length === sent + 1);
    await chips().first().waitFor({ state: 'detached' });
    await view.chat.getByRole('button', { name: 'Send' }).waitFor();
  };

  test('files are picked from a list, taken off again, and sent', async () => {
    await view.chat.getByRole('button', { name: 'Attach…' }).click();
    const picker = workbench().page.locator('.quick-input-widget');
    for (const name of ['README.md', 'index.html'])
      await workbench().quickRows.filter({ hasText: name }).click();
    await workbench().screenshot('stub-attach');
    await picker.getByRole('button', { name: 'OK' }).click();
    await chips().filter({ hasText: 'index.html' }).waitFor();
    await view.chat.getByRole('button', { name: 'Remove README.md' }).click();
    await chips().filter({ hasText: 'README.md' }).waitFor({ state: 'detached' });
    await send('Explain it.');
    assert.deepEqual(lastArgument('sketch.prompt').context, [{ path: 'index.html' }]);
  });

  test('a file of the Explorer is attached from its menu', async () => {
    await workbench().run('View: Show Explorer');
    const file = workbench().page.locator('.explorer-folders-view .monaco-list-row', {
      hasText: 'README.md',
    });
    await file.click({ button: 'right' });
    const entry = workbench().page.locator('.context-view').getByText('Add File to Chat');
    await entry.waitFor();
    // A menu takes no click so soon after the one that opened it.
    await eventually('the menu takes the click', async () => {
      if ((await entry.count()) > 0) await entry.click({ timeout: 2000 });
      return (await entry.count()) === 0;
    });
    await view.shownChat();
    await chips().filter({ hasText: 'README.md' }).waitFor();
    await send('And this?');
    assert.deepEqual(lastArgument('sketch.prompt').context, [{ path: 'README.md' }]);
  });

  test('a picture is pasted, another one is dropped; both are sent', async () => {
    const picture = screenshot(64, 48);
    await workbench().copyPicture(picture);
    await view.chat.getByLabel('Message to the agent').click();
    await workbench().page.keyboard.press('Control+V');
    await chips().first().waitFor();
    const dropped = await view.chat.evaluateHandle(data => {
      const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'sketch.png', { type: 'image/png' }));
      transfer.items.add(new File(['no picture'], 'notes.txt', { type: 'text/plain' }));
      return transfer;
    }, picture);
    const form = view.chat.locator('form.composer');
    await form.dispatchEvent('dragover', { dataTransfer: dropped });
    await form.dispatchEvent('drop', { dataTransfer: dropped });
    await chips().filter({ hasText: 'sketch.png' }).waitFor();
    assert.equal(await chips().count(), 2);
    await workbench().screenshot('stub-pictures');
    await send('Make it look like this.');
    const { images } = lastArgument('sketch.prompt');
    assert.deepEqual(
      images.map(({ mimeType }) => mimeType),
      ['image/png', 'image/png'],
    );
    assert.equal(images[1].data, picture);
    assert.equal(images[1].name, 'sketch.png');
    const shown = view.chat
      .locator('article[aria-label="You"]')
      .last()
      .getByRole('img', { name: 'sketch.png' });
    await eventually('the picture', () => shown.evaluate(element => element.naturalWidth === 64));
  });

  test('a picture is sent without a word', async () => {
    await workbench().page.mouse.move(800, 400); // the drop above was none of the mouse, so that VS Code waits for its end
    await workbench().copyPicture(screenshot(64, 48));
    await view.chat.getByLabel('Message to the agent').click();
    await workbench().page.keyboard.press('Control+V');
    await chips().first().waitFor();
    await send('');
    assert.equal(lastArgument('sketch.prompt').text, '');
    assert.equal(lastArgument('sketch.prompt').images.length, 1);
  });

  test('files that are dragged from the editor are attached, and no others', async () => {
    // What VS Code puts into a drag, in a window on another machine; with Shift held it reaches the page.
    const drop = async (...paths) => {
      const list = paths.map(file => `vscode-remote://127.0.0.1:8080${file}`).join('\r\n');
      const dropped = await view.chat.evaluateHandle(uris => {
        const transfer = new DataTransfer();
        transfer.setData('application/vnd.code.uri-list', uris);
        return transfer;
      }, list);
      const form = view.chat.locator('form.composer');
      await form.dispatchEvent('drop', { dataTransfer: dropped });
    };
    const { folder } = workbench();
    await drop('/etc/hostname', folder);
    await view.chat.getByText('Only files of the session’s repository can be attached.').waitFor();
    await drop(`${folder}/index.html`, '/etc/hostname');
    await chips().filter({ hasText: 'index.html' }).waitFor();
    await send('Look.');
    assert.deepEqual(lastArgument('sketch.prompt').context, [{ path: 'index.html' }]);
  });
}

export function keyboardSteps(view) {
  const { workbench } = view;

  test('everything in the chat is reached by the keyboard', async () => {
    await workbench().run('Sketch: Open Chat');
    await workbench().focused(view.chat, '#prompt');
    const focus = () =>
      view.chat.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.innerText.trim(),
      );
    const walk = async (key, wanted) => {
      const passed = [];
      for (let at = 0; at < 40 && passed.at(-1) !== wanted; at++) {
        await workbench().page.keyboard.press(key);
        passed.push(await focus());
      }
      assert.equal(passed.at(-1), wanted, `passed ${passed.join(', ')}`);
      return passed;
    };
    assert.deepEqual(await walk('Tab', 'Send'), ['Attach…', 'Model', 'Send']);
    const back = await walk('Shift+Tab', 'Conversation');
    assert.ok(back.includes('Message to the agent'));
    const first = view.chat.locator('details.tool').first();
    const open = await first.evaluate(element => element.open);
    const summary = first.locator('summary');
    for (let at = 0; at < 5 && !(await summary.evaluate(element => element === document.activeElement)); at++)
      await workbench().page.keyboard.press('Tab');
    await workbench().page.keyboard.press('Enter');
    await eventually('the tool call unfolds', () =>
      first.evaluate((element, before) => element.open !== before, open),
    );
    await workbench().screenshot('stub-keyboard');
    await workbench().page.keyboard.press('Enter');
  });
}
