// What the chat's page and the extension say to each other. Both ends are ours, but the page shows what comes from the
// container, so the extension checks what it gets.

import type { AgentStatus, Image, Message, ModelInfo, SessionState } from '../protocol';

/** Code that goes with the next prompt. */
export interface Attachment {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly startLine?: number;
  readonly endLine?: number;
  readonly text?: string;
}

/** Everything but the messages. */
export interface ChatState {
  readonly session?: { readonly name: string; readonly branch: string; readonly state: SessionState };
  readonly status?: AgentStatus;
  readonly models: readonly ModelInfo[];
  readonly attachments: readonly Attachment[];
}

export type ToPage =
  | { readonly type: 'state'; readonly state: ChatState }
  | {
      readonly type: 'conversation';
      readonly session: string;
      readonly messages: readonly Message[];
      readonly more: boolean;
    }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'compose'; readonly text: string }
  | { readonly type: 'focus' }
  | { readonly type: 'taken' }
  | { readonly type: 'refused'; readonly text: string };

export type FromPage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'prompt';
      readonly text: string;
      readonly images: readonly Image[];
      readonly model?: string;
    }
  | { readonly type: 'cancel'; readonly tool?: string }
  | { readonly type: 'answer'; readonly id: string; readonly answer: string }
  | { readonly type: 'detach'; readonly index: number }
  | { readonly type: 'attach' }
  | { readonly type: 'dropped'; readonly uris: readonly string[] }
  | { readonly type: 'earlier' }
  | { readonly type: 'command'; readonly command: PageCommand };

/** Commands that the page has buttons for. */
export const pageCommands = ['sketch.startSession', 'sketch.setApiKey', 'sketch.showStatus'] as const;
export type PageCommand = (typeof pageCommands)[number];

/** Bounds of what a person can send at once; the backend has its own. */
export const maxText = 1 << 20;
export const maxDropped = 50;
export const maxImages = 8;
export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** Reads a message of the page; undefined for what is none. */
export function readFromPage(value: unknown): FromPage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, text, images, model, tool, id, answer, index, command, uris } = value as Record<
    string,
    unknown
  >;
  const str = (field: unknown): field is string => typeof field === 'string' && field.length <= maxText;
  switch (type) {
    case 'ready':
    case 'attach':
    case 'earlier':
      return { type };
    case 'prompt':
      if (!str(text)) return undefined;
      return { type, text, images: readImages(images), ...(str(model) && model !== '' && { model }) };
    case 'cancel':
      return { type, ...(str(tool) && { tool }) };
    case 'answer':
      return str(id) && str(answer) ? { type, id, answer } : undefined;
    case 'dropped':
      return Array.isArray(uris) ? { type, uris: uris.filter(str).slice(0, maxDropped) } : undefined;
    case 'detach':
      return typeof index === 'number' ? { type, index } : undefined;
    case 'command': {
      const known = pageCommands.find(candidate => candidate === command);
      return known && { type, command: known };
    }
    default:
      return undefined;
  }
}

function readImages(value: unknown): Image[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxImages).flatMap((image: unknown) => {
    const { mimeType, data, name } = (image ?? {}) as Record<string, unknown>;
    if (typeof mimeType !== 'string' || !imageTypes.includes(mimeType) || typeof data !== 'string') return [];
    return [{ mimeType, data, ...(typeof name === 'string' && { name }) }];
  });
}

/** The addresses in a list of them, as a drop has it (RFC 2483, section 5). */
export function listedUris(list: string): string[] {
  return list.split(/\r?\n/).filter(line => line !== '' && !line.startsWith('#'));
}

/** "src/main.go:3-9", "src/main.go". */
export function attachmentLabel({ path, startLine, endLine }: Attachment): string {
  if (startLine === undefined) return path;
  return endLine === undefined || endLine === startLine
    ? `${path}:${startLine}`
    : `${path}:${startLine}-${endLine}`;
}
