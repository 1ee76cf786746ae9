import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PortRow, portRow } from '../../src/ports';
import type { Port } from '../../src/protocol';
import { port } from './fixtures';

const { url: _, ...withoutURL } = port(3000);
const all = ['open', 'preview', 'copy', 'stop'] as const;

const cases: { name: string; port: Port; want: PortRow }[] = [
  {
    name: 'same number',
    port: port(3000, { process: 'node' }),
    want: { label: '3000', description: 'node', detail: 'http://localhost:3000/', choices: all },
  },
  {
    name: 'another number, and why',
    port: port(3000, { hostPort: 3001, reason: '3000 is in use', label: 'web', process: 'vite' }),
    want: {
      label: '3000 → 3001',
      description: 'web · vite',
      detail: 'http://localhost:3001/ (3000 is in use)',
      choices: all,
    },
  },
  {
    name: 'no web server',
    port: withoutURL,
    want: { label: '3000', description: '', detail: 'localhost:3000', choices: ['stop'] },
  },
  {
    name: 'failed',
    port: port(3000, { status: 'failed', reason: '3000 is in use' }),
    want: {
      label: '3000',
      description: '',
      detail: 'Could not be forwarded (3000 is in use)',
      choices: ['forward'],
    },
  },
  {
    name: 'stopped, with the number it had',
    port: port(3000, { status: 'stopped', hostPort: 3001 }),
    want: { label: '3000', description: '', detail: 'Forwarding was stopped', choices: ['forward'] },
  },
  {
    name: 'listed',
    port: port(40001, { status: 'listed' }),
    want: { label: '40001', description: '', detail: 'Not forwarded', choices: ['forward'] },
  },
];

for (const c of cases) {
  test(`portRow: ${c.name}`, () => assert.deepEqual(portRow(c.port), c.want));
}
