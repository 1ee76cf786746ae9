// Where one types: text, pictures from the clipboard, attachments from the editor, the model, Send and Stop.

import {
  attachmentLabel,
  type ChatState,
  imageTypes,
  listedUris,
  maxImages,
  maxText,
} from '../chat/exchange';
import type { Image } from '../protocol';
import { button, el, replace } from './dom';
import { isBusy } from './header';
import type { Page } from './page';

export interface Drafts {
  load(): string;
  save(text: string): void;
}

export class Composer {
  readonly #page: Page;
  readonly #drafts: Drafts;
  readonly #text = el('textarea', { id: 'prompt', rows: '2', 'aria-label': 'Message to the agent' });
  readonly #chips = el('ul', { class: 'chips', 'aria-label': 'Attached' });
  readonly #model = el('select', { 'aria-label': 'Model', title: 'Model' });
  readonly #send: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #refusal = el('p', { class: 'failed', role: 'alert', hidden: '' });
  #images: Image[] = [];
  #state: ChatState = { models: [], attachments: [] };
  #sending = false;

  readonly element: HTMLElement;

  constructor(page: Page, drafts: Drafts) {
    this.#page = page;
    this.#drafts = drafts;
    this.#send = button('Send', { class: 'primary' }, () => this.#submit());
    this.#stop = button('Stop', { title: 'Stop the agent (Escape)' }, () => this.#cancel());
    const title = 'Attach files of the repository; or drag them here, with Shift held';
    const attach = button('Attach…', { title }, () => page.post({ type: 'attach' }));
    this.#text.value = drafts.load();
    this.#text.addEventListener('input', () => drafts.save(this.#text.value));
    this.#text.addEventListener('keydown', event => this.#key(event));
    this.#text.addEventListener('paste', event => this.#bring(event, event.clipboardData));
    this.element = el(
      'form',
      { class: 'composer' },
      this.#refusal,
      this.#chips,
      this.#text,
      el(
        'div',
        { class: 'actions' },
        attach,
        this.#model,
        el('span', { class: 'space' }),
        this.#stop,
        this.#send,
      ),
    );
    this.element.addEventListener('submit', event => event.preventDefault());
    this.element.addEventListener('drop', event => this.#bring(event, event.dataTransfer));
    this.element.addEventListener('dragover', event => {
      const types = event.dataTransfer?.types ?? [];
      if (['Files', ...uriLists].some(type => types.includes(type))) event.preventDefault(); // else nothing can be dropped here
    });
  }

  show(state: ChatState): void {
    this.#state = state;
    const busy = isBusy(state.status);
    this.element.hidden = state.session === undefined;
    this.#stop.hidden = !busy;
    this.#stop.disabled = state.status?.state === 'cancelling';
    this.#send.textContent = busy ? 'Steer' : 'Send';
    this.#send.title = busy ? 'Joins the running turn at its next step (Enter)' : 'Send (Enter)';
    this.#text.placeholder = busy
      ? 'Steer the agent while it works'
      : 'Ask the agent to do something. @path brings a file along.';
    this.#showModels();
    this.#showChips();
  }

  compose(text: string): void {
    this.#text.value = text;
    this.#drafts.save(text);
    this.focus();
  }

  focus(): void {
    this.#text.focus();
  }

  taken(): void {
    this.#sending = false;
    this.#images = [];
    this.#refusal.hidden = true;
    this.#text.value = '';
    this.#drafts.save('');
    this.#showChips();
  }

  refused(text: string): void {
    this.#sending = false;
    this.#refusal.textContent = text;
    this.#refusal.hidden = text === '';
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if ((text === '' && this.#images.length === 0) || this.#sending) return;
    if (text.length > maxText) {
      this.refused('That is too long. Put it into a file, and attach the file.');
      return;
    }
    this.#sending = true;
    const model = this.#model.value;
    this.#page.post({ type: 'prompt', text, images: this.#images, ...(model !== '' && { model }) });
  }

  #cancel(): void {
    this.#page.post({ type: 'cancel' });
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'Escape' && isBusy(this.#state.status)) {
      event.preventDefault();
      this.#cancel();
    }
  }

  /** Takes the pictures that were pasted or dropped, and the editor's files; anything else is left to the browser. */
  #bring(event: Event, data: DataTransfer | null): void {
    const files = [...(data?.files ?? [])].filter(file => imageTypes.includes(file.type));
    const uris = files.length > 0 || event.type !== 'drop' ? [] : droppedUris(data);
    if (files.length + uris.length === 0) return;
    event.preventDefault();
    this.#refusal.hidden = true;
    if (files.length > 0) void this.#addImages(files);
    else this.#page.post({ type: 'dropped', uris });
  }

  async #addImages(files: readonly File[]): Promise<void> {
    const taken = files.slice(0, maxImages - this.#images.length);
    if (taken.length < files.length) this.refused(`A message takes ${maxImages} pictures.`);
    for (const file of taken) this.#images.push(await readImage(file));
    this.#showChips();
  }

  #showModels(): void {
    const { models, status } = this.#state;
    const chosen = this.#model.value || status?.model || '';
    this.#model.hidden = models.length < 2;
    replace(
      this.#model,
      ...models.map(({ name, ready }) =>
        el(
          'option',
          { value: name, ...(name === chosen && { selected: '' }) },
          ready ? name : `${name} (no key)`,
        ),
      ),
    );
  }

  #showChips(): void {
    const attachments = this.#state.attachments.map((attachment, index) =>
      chip(attachmentLabel(attachment), () => this.#page.post({ type: 'detach', index })),
    );
    const images = this.#images.map((image, index) =>
      chip(image.name ?? 'Picture', () => {
        this.#images.splice(index, 1);
        this.#showChips();
      }),
    );
    this.#chips.hidden = attachments.length + images.length === 0;
    replace(this.#chips, ...attachments, ...images);
  }
}

/** Types of what is dragged from the Explorer and from tabs; the first has all files, the second is what others put there. */
const uriLists = ['application/vnd.code.uri-list', 'text/uri-list'];

function droppedUris(data: DataTransfer | null): string[] {
  const list = uriLists.map(type => data?.getData(type) ?? '').find(Boolean) ?? '';
  return listedUris(list);
}

function chip(label: string, remove: () => void): HTMLElement {
  return el('li', {}, label, button('×', { 'aria-label': `Remove ${label}` }, remove));
}

async function readImage(file: File): Promise<Image> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { mimeType: file.type, data: btoa(binary), name: file.name };
}
