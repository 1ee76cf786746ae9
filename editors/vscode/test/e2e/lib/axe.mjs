// axe-core in a page: what it finds wrong for people who do not see it, or do not see it well.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What violates a rule, a line each. */
export async function violations(frame) {
  await frame.evaluate(source);
  await frame.evaluate(() => {
    // The page is transparent; what is behind its frame cannot be seen from inside, but the theme says what it is.
    const { style } = document.documentElement;
    style.background = getComputedStyle(document.documentElement).getPropertyValue(
      '--vscode-sideBar-background',
    );
  });
  const found = await frame.evaluate(
    async () => (await axe.run(document, { resultTypes: ['violations'] })).violations,
  );
  await frame.evaluate(() => document.documentElement.style.removeProperty('background'));
  return found.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`,
    ),
  );
}
