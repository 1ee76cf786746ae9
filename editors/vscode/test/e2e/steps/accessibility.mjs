// The chat for people who do not see it: names, roles, what is read out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { violations } from '../lib/axe.mjs';
import { eventually } from '../lib/eventually.mjs';

/** The conversation of the first prompt as the browser tells it to a screen reader. */
const tree = readFileSync(new URL('./chat.aria.yml', import.meta.url), 'utf8').trimEnd();

export async function assertAccessible(frame, what) {
  assert.deepEqual(await violations(frame), [], what);
}

export function screenReaderSteps(view) {
  test('a screen reader is told who speaks, what a tool did, and what is there to press', async () => {
    assert.equal(await view.chat.locator('#chat').ariaSnapshot(), tree);
  });

  test('the agent’s words are read out once, when they are whole', async () => {
    const { chat } = view;
    await chat.evaluate(() => {
      window.heard = [];
      const region = document.querySelector('.unseen[aria-live="polite"]');
      new MutationObserver(() => window.heard.push(region.textContent)).observe(region, { childList: true });
    });
    await chat.getByLabel('Message to the agent').fill('Once more');
    await chat.getByLabel('Message to the agent').press('Enter');
    const heard = await eventually('the last word', async () => {
      const all = await chat.evaluate(() => window.heard);
      return all.some(text => text.startsWith('Notice: ')) && all;
    });
    assert.deepEqual(
      heard.map(text => text.slice(0, 18)),
      ['Agent: I will add ', 'Agent: Done: the g', 'Notice: Committed '],
    );
  });
}
