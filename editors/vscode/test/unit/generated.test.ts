import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Manifest {
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command: string }[]>;
    viewsWelcome: { contents: string }[];
    walkthroughs: { steps: { description: string; media: { markdown: string } }[] }[];
    configuration: { properties: Record<string, { scope: string }> };
  };
}
const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const contributed = new Set(manifest.contributes.commands.map(({ command }) => command));

test('what is generated is not stale', () => {
  execFileSync(process.execPath, ['scripts/generate.mjs', '--check'], { stdio: 'inherit' });
});

test('every contributed command is implemented, and nothing else', () => {
  const files = ['sessions', 'chat', 'review', 'ports', 'support'].map(name => `src/commands/${name}.ts`);
  const tables = files.map(name => readFileSync(name, 'utf8').split('\n};')[0] ?? '');
  const implemented = tables.flatMap(table =>
    [...table.matchAll(/^ {2}'(sketch\.\w+)':/gm)].map(match => match[1]),
  );
  assert.deepEqual(implemented.sort(), [...contributed].sort());
});

test('menus, welcome texts and the walkthrough name commands that there are', () => {
  const { menus, viewsWelcome, walkthroughs } = manifest.contributes;
  const texts = [
    ...viewsWelcome.map(({ contents }) => contents),
    ...walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
  ];
  const linked = texts.flatMap(text =>
    [...text.matchAll(/command:(sketch\.\w+)/g)].map(match => match[1] ?? ''),
  );
  const inMenus = Object.values(menus).flatMap(items => items.map(({ command }) => command));
  for (const command of [...linked, ...inMenus]) assert.ok(contributed.has(command), command);
  for (const { steps } of walkthroughs) for (const { media } of steps) readFileSync(media.markdown);
});

test('what runs programs, mounts folders or hands out keys can be set by the user only', () => {
  const own = [
    'models',
    'mcpServers',
    'mounts',
    'envForward',
    'network',
    'serverPath',
    'autoStart',
    'forwardAgent',
  ];
  for (const name of own) {
    assert.equal(manifest.contributes.configuration.properties[`sketch.${name}`]?.scope, 'machine', name);
  }
});

test("the settings of the repository's README are contributed", () => {
  const section =
    readFileSync('../../README.md', 'utf8').split('\n## Settings\n')[1]?.split('\n## ')[0] ?? '';
  const names = [...section.matchAll(/^\| (`\w+`(?:, `\w+`)*)/gm)].flatMap(
    ([, cell = '']) => cell.match(/\w+/g) ?? [],
  );
  assert.ok(names.length > 5);
  for (const name of names) assert.ok(manifest.contributes.configuration.properties[`sketch.${name}`], name);
});
