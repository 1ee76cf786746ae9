// Above the conversation: what the agent does, its plan, what it costs, how full its context is.

import type { ChatState } from '../chat/exchange';
import type { AgentState, AgentStatus, TodoItem, TodoStatus } from '../protocol';
import { cost, tokens } from '../words';
import { el, replace } from './dom';

const stateWords: Record<AgentState, string> = {
  off: 'No model',
  idle: 'Ready',
  thinking: 'Thinking…',
  tools: 'Working…',
  asking: 'Waits for your answer',
  retrying: 'The model’s server is not to be had; trying again…',
  compacting: 'Making room in its context…',
  cancelling: 'Stopping…',
};

export function isBusy(status: AgentStatus | undefined): boolean {
  return status !== undefined && status.state !== 'off' && status.state !== 'idle';
}

export class Header {
  readonly #state = el('span', { class: 'state', role: 'status' });
  readonly #meters = el('span', { class: 'meters' });
  readonly #todo = el('details', { class: 'todo', hidden: '' });
  readonly element = el('header', {}, el('div', { class: 'line' }, this.#state, this.#meters), this.#todo);

  show({ session, status }: ChatState): void {
    this.element.hidden = session === undefined;
    this.#state.textContent = sentence(status);
    this.#state.className = `state ${status?.state ?? 'off'}`;
    replace(this.#meters, contextMeter(status), costText(status));
    this.#showTodo(status?.todo ?? []);
  }

  #showTodo(items: readonly TodoItem[]): void {
    this.#todo.hidden = items.length === 0;
    const done = items.filter(item => item.status === 'done').length;
    const active = items.find(item => item.status === 'active')?.text ?? '';
    replace(
      this.#todo,
      el('summary', {}, `Plan ${done}/${items.length} `, el('span', { class: 'active' }, active)),
      el('ul', {}, ...items.map(todoItem)),
    );
  }
}

function sentence(status: AgentStatus | undefined): string {
  if (status === undefined) return '';
  const queued = status.queued ? ` ${status.queued} waiting` : '';
  if (status.state === 'idle' && status.outcome === 'failed') return `Failed${queued}`;
  if (status.state === 'idle' && status.outcome === 'cancelled') return `Stopped${queued}`;
  if (status.state === 'idle' && status.outcome === 'budget') return `Budget used up${queued}`;
  return `${stateWords[status.state]}${queued}`;
}

const todoWords: Record<TodoStatus, [mark: string, word: string]> = {
  pending: ['○', 'to be done'],
  active: ['◐', 'being done'],
  done: ['●', 'done'],
};

function todoItem({ text, status }: TodoItem): HTMLElement {
  const [mark, word] = todoWords[status];
  return el(
    'li',
    { class: status },
    el('span', { 'aria-hidden': 'true' }, mark),
    ` ${text}`,
    el('span', { class: 'unseen' }, `, ${word}`),
  );
}

function contextMeter(status: AgentStatus | undefined): HTMLElement | undefined {
  const { contextUsed = 0, contextSize = 0 } = status ?? {};
  if (contextSize <= 0) return undefined;
  const share = Math.min(Math.round((100 * contextUsed) / contextSize), 100);
  const words = `Context: ${tokens(contextUsed)} of ${tokens(contextSize)} tokens`;
  const fill = el('span', { class: share > 80 ? 'fill high' : 'fill' });
  fill.style.width = `${share}%`;
  const bounds = { 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-valuenow': `${share}` };
  const meter = el('span', { class: 'meter', role: 'meter', 'aria-label': words, ...bounds }, fill);
  return el('span', { class: 'context', title: words }, meter, ` ${share}%`);
}

function costText(status: AgentStatus | undefined): HTMLElement | undefined {
  const text = cost(status?.usage);
  if (text === '' || status === undefined) return undefined;
  const { inputTokens, outputTokens, cacheReadTokens = 0 } = status.usage;
  const details = `${tokens(inputTokens)} in, ${tokens(outputTokens)} out, ${tokens(cacheReadTokens)} from the cache`;
  return el('span', { class: 'cost', title: details, 'aria-label': `Cost ${text}` }, text);
}
