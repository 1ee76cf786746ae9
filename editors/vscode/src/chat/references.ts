// What a prompt in the editor's own chat refers to: files, and lines of them.

import type { Attachment } from './exchange';

/** An address, as far as it is looked at here. */
export interface Address {
  readonly scheme: string;
  readonly path: string;
}

/** The files among the values of references; `pathOf` says where in the repository one is, if it is there. */
export function referenced<U extends Address>(
  values: readonly unknown[],
  pathOf: (uri: U) => string | undefined,
): Attachment[] {
  const known = new Map<string, Attachment>();
  for (const value of values) {
    const attachment = attachmentOf(value, pathOf);
    if (attachment !== undefined) known.set(JSON.stringify(attachment), attachment);
  }
  return [...known.values()];
}

function attachmentOf<U extends Address>(
  value: unknown,
  pathOf: (uri: U) => string | undefined,
): Attachment | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { uri, range, scheme } = value as Partial<Located<U>> & Partial<Address>;
  if (uri === undefined) {
    const path = scheme === undefined ? undefined : pathOf(value as U);
    return path === undefined ? undefined : { path };
  }
  const path = pathOf(uri);
  if (path === undefined || range === undefined) return path === undefined ? undefined : { path };
  return { path, startLine: range.start.line + 1, endLine: lastLine(range) + 1 };
}

interface Located<U> {
  readonly uri: U;
  readonly range: Lines;
}

/** A range of text, as far as it is looked at here; lines count from 0. */
interface Lines {
  readonly start: { readonly line: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** A range that ends before the first character of a line means the line before. */
export function lastLine({ start, end }: Lines): number {
  return end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
}
