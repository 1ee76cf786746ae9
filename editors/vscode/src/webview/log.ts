// The conversation: what is new is drawn once a frame, and the end stays in sight while it was in sight.

import { withMessage } from '../chat/conversation';
import type { Message } from '../protocol';
import { button, el } from './dom';
import { messageLabel, renderMessage } from './message';
import type { Page } from './page';

/** So near to the end counts as being there. */
const nearPx = 48;
/** Longer than a frame takes where there are any. */
const frameMs = 100;

export class Log {
  readonly #page: Page;
  readonly #announce: (text: string) => void;
  readonly #list = el('div', { class: 'messages' });
  readonly #earlier: HTMLButtonElement;
  readonly #elements = new Map<string, HTMLElement>();
  readonly #open = new Set<string>();
  readonly #dirty = new Set<string>();
  #messages: Message[] = [];
  #scheduled = false;
  #following = true;

  readonly element: HTMLElement;

  constructor(page: Page, announce: (text: string) => void) {
    this.#page = page;
    this.#announce = announce;
    this.#earlier = button('Earlier Messages', { class: 'small earlier', hidden: '' }, () =>
      page.post({ type: 'earlier' }),
    );
    this.element = el(
      'section',
      { id: 'log', role: 'log', 'aria-label': 'Conversation', tabindex: '0' },
      this.#earlier,
      this.#list,
    );
    // What the user folds or unfolds stays so while the message is drawn anew; toggle does not bubble.
    // Pictures have no height before they are there.
    this.element.addEventListener('load', () => this.#following && this.#toEnd(), true);
    // The window, or what is below, grew or shrank.
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(this.element);
    this.element.addEventListener('scroll', () => {
      this.#following = this.#atEnd();
    });
    this.element.addEventListener('toggle', event => this.#toggled(event.target), true);
  }

  get empty(): boolean {
    return this.#messages.length === 0;
  }

  reset(messages: readonly Message[], more: boolean): void {
    this.#messages = [...messages];
    this.#earlier.hidden = !more;
    this.#elements.clear();
    const elements = this.#messages.map(message => this.#render(message));
    this.#list.replaceChildren(...elements);
    this.#toEnd();
  }

  put(message: Message): void {
    const before = this.#messages.find(known => known.id === message.id);
    this.#messages = withMessage(this.#messages, message);
    this.#dirty.add(message.id);
    if (message.done && !before?.done && message.kind !== 'user' && message.kind !== 'tool') {
      this.#announce(
        `${messageLabel(message)}: ${(message.text ?? message.question?.text ?? '').slice(0, 300)}`,
      );
    }
    // A question must not be missed, and who says something wants to see it.
    if ((message.kind === 'question' && !message.done) || (message.kind === 'user' && before === undefined))
      this.#following = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#draw());
    // A page that is covered gets no frames, and a screen reader does not wait for one.
    setTimeout(() => this.#draw(), frameMs);
  }

  #draw(): void {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    for (const id of this.#dirty) this.#place(id);
    this.#dirty.clear();
    if (this.#following) this.#toEnd();
  }

  #place(id: string): void {
    const at = this.#messages.findIndex(message => message.id === id);
    const message = this.#messages[at];
    if (message === undefined) return;
    const old = this.#elements.get(id);
    const element = this.#render(message);
    if (old !== undefined) old.replaceWith(element);
    else this.#list.insertBefore(element, this.#elements.get(this.#messages[at + 1]?.id ?? '') ?? null);
  }

  #render(message: Message): HTMLElement {
    const element = renderMessage(message, this.#page, this.#open);
    this.#elements.set(message.id, element);
    return element;
  }

  #toggled(target: EventTarget | null): void {
    if (!(target instanceof HTMLDetailsElement)) return;
    const fold = target.dataset['fold'] ?? '';
    if (target.open) this.#open.add(fold);
    else this.#open.delete(fold);
  }

  #atEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < nearPx;
  }

  #toEnd(): void {
    this.element.scrollTop = this.element.scrollHeight;
  }
}
