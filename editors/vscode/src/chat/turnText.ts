// Messages that come again and again as they stand, as the growing text that a stream wants.

import type { Message } from '../protocol';

export interface Piece {
  /** What is new, as Markdown. */
  readonly markdown: string;
  /** What the agent does now. */
  readonly progress?: string;
}

const nothing: Piece = { markdown: '' };

export class TurnText {
  readonly #told = new Map<string, number>();
  readonly #waiting: Message[] = [];
  #turn: number | undefined;

  /** Names the turn; what came of it before is told by the next message. */
  begin(turn: number): void {
    this.#turn = turn;
  }

  take(message: Message): Piece {
    if (this.#turn === undefined) {
      this.#waiting.push(message); // which turn it is, is not known yet
      return nothing;
    }
    const pieces = [...this.#waiting.splice(0), message].map(known => this.#piece(known));
    const progress = pieces.findLast(piece => piece.progress !== undefined)?.progress;
    return {
      markdown: pieces.map(piece => piece.markdown).join(''),
      ...(progress !== undefined && { progress }),
    };
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
      case 'question':
      case 'notice':
        return {
          markdown: this.#rest(message.id, message.question?.text ?? message.text ?? '', message.done),
        };
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
