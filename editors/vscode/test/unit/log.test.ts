import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogLine, parseLogLine } from '../../src/log';

const cases: { name: string; line: string; want: LogLine }[] = [
  {
    name: 'text',
    line: 'time=2026-01-01T00:00:00.000Z level=WARN msg="dial again" attempt=3',
    want: { level: 'warn', text: 'dial again attempt=3' },
  },
  {
    name: 'text, one word and escapes',
    line: 'level=ERROR msg=failed err="a \\"b\\" c"',
    want: { level: 'error', text: 'failed err="a \\"b\\" c"' },
  },
  {
    name: 'text, quoted message',
    line: 'level=DEBUG msg="say \\"hi\\""',
    want: { level: 'debug', text: 'say "hi"' },
  },
  { name: 'text, custom level', line: 'level=INFO+2 msg=notice', want: { level: 'info', text: 'notice' } },
  {
    name: 'json',
    line: '{"time":"2026-01-01T00:00:00Z","level":"INFO","msg":"listening","port":3000}',
    want: { level: 'info', text: 'listening port=3000' },
  },
  { name: 'other json', line: '{"a":1}', want: { level: 'info', text: '{"a":1}' } },
  { name: 'broken json', line: '{"level":', want: { level: 'info', text: '{"level":' } },
  { name: 'panic', line: 'goroutine 1 [running]:', want: { level: 'info', text: 'goroutine 1 [running]:' } },
];

for (const c of cases) {
  test(`parseLogLine: ${c.name}`, () => assert.deepEqual(parseLogLine(c.line), c.want));
}
