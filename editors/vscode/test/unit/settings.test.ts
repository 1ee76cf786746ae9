import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Command } from '../../src/protocol';
import { clientSettings, collectSettings, settingNames } from '../../src/settings';

interface Manifest {
  main: string;
  contributes: {
    commands: { command: string; category: string }[];
    configuration: {
      properties: Record<string, { scope: string; description?: string; markdownDescription?: string }>;
    };
  };
}

const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const properties = manifest.contributes.configuration.properties;

test('collectSettings sends what is set', () => {
  const values: Record<string, unknown> = {
    baseImage: '',
    notifications: 'message',
    forwardPorts: [],
    portsAttributes: { 3000: { label: 'web' } },
    otherPortsAttributes: {},
    serverPath: '/secret',
  };
  assert.deepEqual(
    collectSettings(settingNames(manifest), name => values[name]),
    { notifications: 'message', portsAttributes: { 3000: { label: 'web' } } },
  );
});

test('ports that nobody wants to hear of are told as silent, beside what else is set of them', () => {
  const values: Record<string, unknown> = { portsAttributes: { 3000: { label: 'web' } } };
  assert.deepEqual(
    collectSettings(['portsAttributes'], name => values[name], [3000, 5173]),
    {
      portsAttributes: {
        3000: { label: 'web', onAutoForward: 'silent' },
        5173: { onAutoForward: 'silent' },
      },
    },
  );
  assert.deepEqual(values['portsAttributes'], { 3000: { label: 'web' } });
});

test("the extension's own settings are contributed", () => {
  for (const name of clientSettings) assert.ok(properties[`sketch.${name}`], name);
});

test('every setting says what it is for', () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.ok(property.description || property.markdownDescription, name);
    assert.match(property.scope, /^(machine|window|resource)$/, name);
  }
  assert.equal(properties['sketch.serverPath']?.scope, 'machine');
});

test('no command of ours has the id of one that the backend registers', () => {
  const theirs = new Set<string>(Object.values(Command));
  for (const { command, category } of manifest.contributes.commands) {
    assert.ok(!theirs.has(command), command);
    assert.equal(category, 'Sketch', command);
  }
});
