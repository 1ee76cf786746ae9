// The conversations of this window's sessions. Each message is full state; what has its id is replaced.

import type { ConversationResult, Message, MessageNotification } from '../protocol';

export interface Conversation {
  readonly session: string;
  /** In order. */
  readonly messages: readonly Message[];
  /** The backend has earlier ones. */
  readonly more: boolean;
}

/** More are not kept: the oldest can be asked for again. */
const keptMessages = 2000;

/** Returns the messages with one more, or with another state of one that is there. */
export function withMessage(messages: readonly Message[], message: Message): Message[] {
  const at = messages.findLastIndex(known => known.id === message.id);
  if (at >= 0) {
    // A message that was told late is no news: what is done never changes.
    if (messages[at]?.done && !message.done) return [...messages];
    return messages.with(at, message);
  }
  const before = messages.findLastIndex(known => known.seq < message.seq);
  return messages.toSpliced(before + 1, 0, message).slice(-keptMessages);
}

export class Conversations {
  readonly #all = new Map<string, Conversation>();

  get(session: string): Conversation {
    return this.#all.get(session) ?? { session, messages: [], more: false };
  }

  /** Takes the answer to "the latest messages": it replaces what was known, but for what was told while it was under way. */
  load({ session, messages, more }: ConversationResult): void {
    const first = messages[0]?.seq ?? 0;
    const last = messages.at(-1)?.seq ?? 0;
    const newer = this.get(session).messages.filter(
      known => known.seq > last || (known.done && known.seq >= first),
    );
    this.#all.set(session, {
      session,
      messages: newer.reduce(withMessage, [...messages]),
      more: more === true,
    });
  }

  /** Takes the answer to "the messages after one that is known": it fills the gaps. */
  fill({ session, messages }: ConversationResult): void {
    for (const message of messages) this.put({ session, message });
  }

  put({ session, message }: MessageNotification): void {
    const conversation = this.get(session);
    this.#all.set(session, { ...conversation, messages: withMessage(conversation.messages, message) });
  }

  /** After which message to ask for what may have been missed: everything before is done. */
  settled(session: string): number {
    const { messages } = this.get(session);
    const open = messages.findIndex(message => !message.done);
    return (open < 0 ? messages.at(-1)?.seq : (messages[open]?.seq ?? 1) - 1) ?? 0;
  }

  clear(): void {
    this.#all.clear();
  }
}
