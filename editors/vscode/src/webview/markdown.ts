// Markdown of the agent as elements. HTML in it stays text, pictures in it are links: nothing is loaded from anywhere.

import MarkdownIt from 'markdown-it';
import { el } from './dom';

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false });
markdown.disable('image');
// Only web pages: no command:, file: or vscode: address.
markdown.validateLink = url => /^https?:\/\//i.test(url);

/** Longer texts are shown as they are: to lay them out would hold up the page. */
const maxMarkdown = 200_000;

export function renderMarkdown(text: string): HTMLElement {
  const body = el('div', { class: 'markdown' });
  if (text.length > maxMarkdown) body.append(el('pre', {}, text));
  else body.innerHTML = markdown.render(text);
  return body;
}
