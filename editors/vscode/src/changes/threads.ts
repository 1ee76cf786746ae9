// Comments grouped into threads: those on the same line of the same side of the same file.

import type { Comment } from '../protocol';
import { count } from '../words';

export interface ThreadKey {
  readonly path: string;
  readonly side: 'old' | 'new';
  /** From 1. */
  readonly line: number;
}

export interface ThreadRow extends ThreadKey {
  readonly comments: readonly Comment[];
}

export function threadName({ path, side, line }: ThreadKey): string {
  return `${side}:${line}:${path}`;
}

export function groupComments(comments: readonly Comment[]): Map<string, ThreadRow> {
  const threads = new Map<string, ThreadRow>();
  for (const comment of comments) {
    const key: ThreadKey = { path: comment.path, side: comment.side ?? 'new', line: comment.line };
    const name = threadName(key);
    threads.set(name, { ...key, comments: [...(threads.get(name)?.comments ?? []), comment] });
  }
  return threads;
}

/** "2 comments on 1 file" */
export function commentsWords(comments: readonly Comment[]): string {
  const files = new Set(comments.map(comment => comment.path)).size;
  return `${count(comments.length, 'comment')} on ${count(files, 'file')}`;
}

/**
 * Markdown that shows the text as it was typed. MarkdownString.appendText does so too, but with &nbsp; for each space, and that is
 * what the editor tells screen readers.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>&~|]/g, '\\$&')
    .replace(/^(\s*\d*)([#+\-=.)])/gm, '$1\\$2')
    .replace(/\n/g, '  \n');
}
