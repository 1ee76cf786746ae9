// Links to the extension, as a web page may hold them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

export function linkSteps(view) {
  const { workbench, stub, command } = view;

  test('a link is followed when the user allows it, and only prepares what to say', async () => {
    const prompts = command('sketch.prompt').length;
    await workbench().follow(
      'vscode://sketch-ide.sketch-ide/chat?text=Add%20a%20page%20about%20%3Cb%3Eus%3C%2Fb%3E',
    );
    await workbench().dialog.getByText('Sketch').first().waitFor();
    await workbench().screenshot('stub-link');
    await workbench().dialog.getByRole('button', { name: 'Open' }).click();
    const chat = await view.shownChat();
    await workbench().focused(chat, '#prompt');
    assert.equal(await chat.getByLabel('Message to the agent').inputValue(), 'Add a page about <b>us</b>');
    assert.equal(command('sketch.prompt').length, prompts);
    await chat.getByLabel('Message to the agent').fill('');
  });

  test('a link that is not allowed does nothing', async () => {
    await workbench().follow('vscode://sketch-ide.sketch-ide/chat?text=never%20seen');
    await workbench().dialog.getByRole('button', { name: 'Cancel' }).click();
    await workbench().dialog.waitFor({ state: 'detached' });
    assert.equal(await view.chat.getByLabel('Message to the agent').inputValue(), '');
  });

  test('a hostile link that was allowed changes nothing', async () => {
    const before = stub.record().filter(message => message.params?.command !== undefined).length;
    for (const [link, words] of [
      ['merge?how=reset', 'The link means nothing to Sketch.'],
      ['command/workbench.action.quit', 'The link means nothing to Sketch.'],
      ['port/22', 'Port 22 is not open.'],
      ['port/3000;rm', 'The link means nothing to Sketch.'],
    ]) {
      await workbench().follow(`vscode://sketch-ide.sketch-ide/${link}`);
      await workbench().dialog.getByRole('button', { name: 'Open' }).click();
      await workbench().toast(words).first().waitFor();
      await workbench().run('Notifications: Clear All Notifications');
    }
    const after = stub.record().filter(message => message.params?.command !== undefined).length;
    assert.equal(after, before);
  });
}
