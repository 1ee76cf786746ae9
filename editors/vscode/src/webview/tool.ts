// A tool call: one line that unfolds to its output, and to the diff of what it changed.

import type { ToolCall, ToolState } from '../protocol';
import { duration } from '../words';
import { button, el } from './dom';
import type { Page } from './page';

const marks: Record<ToolState, string> = {
  pending: '…',
  running: '●',
  done: '✓',
  failed: '✗',
  cancelled: '⊘',
};
const words: Record<ToolState, string> = {
  pending: 'being written',
  running: 'running',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function toolCall(id: string, tool: ToolCall, page: Page, open: ReadonlySet<string>): HTMLElement {
  const fold = `${id}:tool`;
  const running = tool.state === 'running';
  const time = tool.durationMs === undefined ? '' : duration(tool.durationMs);
  const summary = el(
    'summary',
    { title: `${tool.name}: ${words[tool.state]}` },
    el('span', { class: `mark ${tool.state}`, 'aria-hidden': 'true' }, marks[tool.state]),
    el('span', { class: 'tool-name' }, tool.name),
    el('span', { class: 'tool-title' }, tool.title),
    el('span', { class: 'tool-time' }, time),
    el('span', { class: 'unseen' }, words[tool.state]),
  );
  const details = el(
    'details',
    { class: 'tool', 'data-fold': fold, ...(open.has(fold) && { open: '' }) },
    summary,
  );
  if (tool.diff) details.append(diff(tool.diff));
  if (tool.output)
    details.append(el('pre', { class: 'output', tabindex: '0', 'aria-label': 'Output' }, tool.output));
  if (!tool.diff && !tool.output) details.append(el('p', { class: 'hint' }, input(tool)));
  if (!running) return details;
  const cancel = button('Cancel', { class: 'small', 'aria-label': `Cancel ${tool.name}` }, () =>
    page.post({ type: 'cancel', tool: tool.id }),
  );
  return el('div', { class: 'with-action' }, details, cancel);
}

function input({ input: given, title }: ToolCall): string {
  return given === undefined ? title : JSON.stringify(given);
}

function diff(text: string): HTMLElement {
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => el('span', { class: lineClass(line) }, `${line}\n`));
  return el('pre', { class: 'diff', tabindex: '0', 'aria-label': 'Changes' }, ...lines);
}

function lineClass(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---')) return 'file';
  if (line.startsWith('+')) return 'added';
  if (line.startsWith('-')) return 'removed';
  return line.startsWith('@@') ? 'hunk' : '';
}
