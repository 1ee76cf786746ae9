// One message of the conversation as an element.

import type { Image, Message } from '../protocol';
import { button, el } from './dom';
import { renderMarkdown } from './markdown';
import type { Page } from './page';
import { toolCall } from './tool';

export function renderMessage(message: Message, page: Page, open: ReadonlySet<string>): HTMLElement {
  const article = el('article', {
    class: `message ${message.kind}${message.done ? '' : ' streaming'}`,
    'data-id': message.id,
    'aria-label': messageLabel(message),
    // What is still being written would be read out again and again.
    ...(message.done ? {} : { 'aria-live': 'off', 'aria-busy': 'true' }),
  });
  article.append(...parts(message, page, open), ...(message.images ?? []).map(picture));
  return article;
}

/** Who speaks, for screen readers. */
export function messageLabel({ kind, tool }: Message): string {
  switch (kind) {
    case 'user':
      return 'You';
    case 'assistant':
      return 'Agent';
    case 'tool':
      return `Tool ${tool?.name ?? ''}, ${tool?.state ?? ''}`;
    case 'question':
      return 'The agent asks';
    case 'notice':
      return 'Notice';
  }
}

function parts(message: Message, page: Page, open: ReadonlySet<string>): HTMLElement[] {
  switch (message.kind) {
    case 'user':
      return message.text ? [el('div', { class: 'said' }, message.text)] : [];
    case 'assistant':
      return assistant(message, open);
    case 'tool':
      return message.tool === undefined ? [] : [toolCall(message.id, message.tool, page, open)];
    case 'question':
      return question(message, page);
    case 'notice':
      return notice(message);
  }
}

function assistant({ id, thinking, text }: Message, open: ReadonlySet<string>): HTMLElement[] {
  const thought =
    thinking &&
    el(
      'details',
      { class: 'thinking', 'data-fold': `${id}:thinking`, ...(open.has(`${id}:thinking`) && { open: '' }) },
      el('summary', {}, 'Thoughts'),
      renderMarkdown(thinking),
    );
  return [...(thought ? [thought] : []), ...(text ? [renderMarkdown(text)] : [])];
}

function question({ id, question: asked, text }: Message, page: Page): HTMLElement[] {
  const said = el('p', { class: 'asked' }, asked?.text ?? text ?? '');
  if (asked === undefined) return [said];
  if (asked.answered) {
    return [said, el('p', { class: 'answer' }, asked.answer ? `Answered: ${asked.answer}` : 'Not answered.')];
  }
  const options = (asked.options ?? []).map(option =>
    button(option, { class: 'option' }, () => page.post({ type: 'answer', id, answer: option })),
  );
  const own = el('input', { type: 'text', placeholder: 'Another answer', 'aria-label': 'Another answer' });
  own.addEventListener('keydown', event => {
    if (event.key === 'Enter' && own.value.trim() !== '')
      page.post({ type: 'answer', id, answer: own.value.trim() });
  });
  return [said, el('div', { class: 'options', role: 'group', 'aria-label': 'Answers' }, ...options, own)];
}

function notice({ text, error }: Message): HTMLElement[] {
  const words = text || error?.message || '';
  const hint = error?.hint;
  return [
    el('p', { class: error ? 'failed' : '' }, words),
    ...(hint ? [el('p', { class: 'hint' }, hint)] : []),
  ];
}

function picture({ mimeType, data, name }: Image): HTMLElement {
  const known = /^image\/(png|jpeg|gif|webp)$/.test(mimeType);
  const alt = name ?? 'Picture';
  if (!known) return el('p', { class: 'hint' }, `${alt} cannot be shown.`);
  const image = el('img', { alt, loading: 'lazy' });
  image.src = `data:${mimeType};base64,${data}`;
  return el('figure', {}, image, el('figcaption', {}, alt));
}
