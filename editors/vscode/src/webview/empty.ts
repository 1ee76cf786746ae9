// What stands where the conversation would, while there is none.

import type { ChatState, PageCommand } from '../chat/exchange';
import { button, el, replace } from './dom';
import type { Page } from './page';

export class Empty {
  readonly #page: Page;
  readonly element = el('section', { class: 'empty' });

  constructor(page: Page) {
    this.#page = page;
  }

  show({ session, status }: ChatState, noMessages: boolean): void {
    this.element.hidden = session !== undefined && !noMessages;
    if (session === undefined) {
      this.#say(
        'Give the agent a container of its own for this repository.',
        'Start Session',
        'sketch.startSession',
      );
    } else if (session.state === 'stopped' || session.state === 'gone') {
      this.#say('The session does not run.', 'Start Session', 'sketch.startSession');
    } else if (status?.state === 'off') {
      const { message, hint } = status.error ?? {};
      const words = [message ?? 'No model, or no key for it, is configured.', hint].filter(Boolean).join(' ');
      this.#say(`${words} Everything but the conversation works.`, 'Set API Key', 'sketch.setApiKey');
    } else {
      this.#say(
        'Say what you want to have done. The agent works in its container; its commits come back as a branch.',
      );
    }
  }

  #say(words: string, label?: string, command?: PageCommand): void {
    const act =
      command &&
      label &&
      button(label, { class: 'primary' }, () => this.#page.post({ type: 'command', command }));
    replace(this.element, el('p', {}, words), act || undefined);
  }
}
