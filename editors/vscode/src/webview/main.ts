// The chat's page. All that it knows it is told by the extension; only the draft is its own.

import type { FromPage, ToPage } from '../chat/exchange';
import { Composer } from './composer';
import { el } from './dom';
import { Empty } from './empty';
import { Header } from './header';
import { Log } from './log';

interface VSCode {
  postMessage(message: FromPage): void;
  getState(): { draft?: string } | undefined;
  setState(state: { draft: string }): void;
}
declare function acquireVsCodeApi(): VSCode;

const vscode = acquireVsCodeApi();
const page = { post: (message: FromPage) => vscode.postMessage(message) };
const announcer = el('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
const header = new Header();
const empty = new Empty(page);
const log = new Log(page, text => {
  announcer.textContent = text;
});
const composer = new Composer(page, {
  load: () => vscode.getState()?.draft ?? '',
  save: draft => vscode.setState({ draft }),
});
let state: (ToPage & { type: 'state' })['state'] = { models: [], attachments: [] };

function show(): void {
  header.show(state);
  empty.show(state, log.empty);
  composer.show(state);
  log.element.hidden = log.empty;
}

function receive(message: ToPage): void {
  switch (message.type) {
    case 'state':
      state = message.state;
      show();
      break;
    case 'conversation':
      log.reset(message.messages, message.more);
      show();
      break;
    case 'message':
      log.put(message.message);
      show();
      break;
    case 'compose':
      composer.compose(message.text);
      break;
    case 'focus':
      composer.focus();
      break;
    case 'taken':
      composer.taken();
      break;
    case 'refused':
      composer.refused(message.text);
      break;
  }
}

window.addEventListener('message', (event: MessageEvent<ToPage>) => receive(event.data));
document
  .getElementById('chat')
  ?.append(header.element, empty.element, log.element, composer.element, announcer);
show();
page.post({ type: 'ready' });
