// `@sketch` in the editor's own chat.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../lib/eventually.mjs';
import { installTestExtension } from '../lib/extension.mjs';

/** The chat of a window that has a model: a test's own, for there is no account. */
export function nativeChatSteps(view) {
  const { workbench, command, argument } = view;
  const ask = async text => {
    const { page } = workbench();
    const input = page.locator('.interactive-input-part .monaco-editor').first();
    await page.mouse.move(0, 0); // what is told of the thing under it may cover the box
    await eventually('the chat takes text', async () => {
      await input.click({ timeout: 5000 });
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
      return (await input.innerText()).replace(/\s/g, ' ').includes(text);
    });
    await page.keyboard.press('Escape'); // of what may be suggested
    await page.keyboard.press('Enter');
  };
  const answer = () => workbench().page.locator('.interactive-response').last();

  test('@sketch in the editor’s own chat asks the same agent', async () => {
    await installTestExtension('chat-model');
    await workbench().closeWindow();
    workbench().configure({}, { 'chat.disableAIFeatures': false });
    await workbench().openWindow();
    await workbench().run('Sketch: Start Session');
    await workbench().run('Chat: Open Chat');
    await ask('@sketch Add a form');
    await answer().getByText('Done: the guest book has a form').waitFor();
    await answer().getByText('one line for the name').waitFor();
    assert.equal(argument(command('sketch.prompt').at(-1)).text, 'Add a form');
    await workbench().screenshot('stub-native-chat');
  });

  test('what the agent asks there is answered in its view', async () => {
    await ask('@sketch ask me');
    await answer().getByText('Which colour should the button have?').waitFor();
    await answer().getByText('Answer in Sketch Chat').click();
    const chat = await view.shownChat();
    await chat.getByRole('button', { name: 'Blue' }).click();
    await answer().getByText('Done: the guest book has a form').waitFor();
  });

  test('stopping there stops the agent', async () => {
    const { page } = workbench();
    const before = command('sketch.cancel').length;
    await ask('@sketch wait for me');
    await answer().getByText('one line for the name').waitFor();
    await page.locator('.interactive-session .codicon-stop-circle').last().click();
    await eventually('the cancel', () => command('sketch.cancel').length > before);
    // What was told stays, and the next one is heard.
    await answer().getByText('one line for the name').waitFor();
    await ask('@sketch Add a button');
    await answer().getByText('Done: the guest book has a form').waitFor();
  });

  test('a file that is attached there goes along', async () => {
    await workbench().openFile('README.md');
    await workbench().page.locator('.interactive-input-part').getByText('README.md').first().click();
    const before = command('sketch.prompt').length;
    await ask('@sketch Explain it');
    await eventually('the prompt', () => command('sketch.prompt').length > before);
    assert.deepEqual(argument(command('sketch.prompt').at(-1)).context, [{ path: 'README.md' }]);
    await answer().getByText('Done: the guest book has a form').waitFor();
  });
}
