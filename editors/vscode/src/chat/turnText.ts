// Messages that come again and again as they stand, as the growing text that a stream wants.

import type { Message } from '../protocol';

export interface Piece {
  /** What is new, as Markdown. */
  readonly markdown: string;
  /** What the agent does now. */
  readonly progress?: string;
  /** It waits for an answer. */
  readonly asks?: true;
}

const nothing: Piece = { markdown: '' };

export class TurnText {
  readonly #told = new Map<string, number>();
  readonly #waiting: Message[] = [];
  #turn: number | undefined;

  /** Names the turn, and returns what came of it before: a short one may even be over. */
  begin(turn: number): Piece {
    this.#turn = turn;
    const pieces = this.#waiting.splice(0).map(message => this.#piece(message));
    return { ...pieces.at(-1), markdown: pieces.map(piece => piece.markdown).join('') };
  }

  take(message: Message): Piece {
    if (this.#turn !== undefined) return this.#piece(message);
    this.#waiting.push(message); // which turn it is, is not known yet
    return nothing;
  }

  #piece(message: Message): Piece {
    if (message.turn !== this.#turn) return nothing;
    switch (message.kind) {
      case 'assistant':
        return { markdown: this.#rest(message.id, message.text ?? '', message.done) };
      case 'tool':
        return message.done
          ? nothing
          : { markdown: '', progress: `${message.tool?.name}: ${message.tool?.title}` };
      case 'question': {
        const markdown = this.#rest(message.id, message.question?.text ?? message.text ?? '', true);
        return { markdown, ...(markdown !== '' && !message.done && { asks: true }) };
      }
      case 'notice':
        return { markdown: this.#rest(message.id, message.text ?? '', message.done) };
      default:
        return nothing;
    }
  }

  /** What of a text was not told yet; a paragraph's end after the last of it. */
  #rest(id: string, text: string, done: boolean): string {
    const whole = done && text !== '' ? `${text}\n\n` : text;
    const told = this.#told.get(id) ?? 0;
    this.#told.set(id, Math.max(told, whole.length));
    return whole.slice(told);
  }
}
