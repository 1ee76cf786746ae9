// Errors as they are shown to people: what failed, and one hint.

import { ServerError } from './server';

export interface UserError {
  readonly message: string;
  readonly hint: string;
  /** The stable kind of the backend's error, such as "noEngine"; empty for others. */
  readonly kind: string;
  readonly retryable: boolean;
}

/** JSON-RPC and LSP codes that mean "the user or the client withdrew the request": nothing to show. */
const cancelledCodes = [-32800, -32801, -32802];

/** Reads whatever a request was rejected with; undefined when it was only cancelled. */
export function userError(error: unknown): UserError | undefined {
  if (error instanceof ServerError) {
    return { message: error.message, hint: error.hint, kind: 'server', retryable: true };
  }
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  if (cancelledCodes.includes(fields['code'] as number)) return undefined;
  const data = typeof fields['data'] === 'object' && fields['data'] !== null ? fields['data'] : {};
  const { kind, hint, retryable } = data as Record<string, unknown>;
  if (kind === 'cancelled') return undefined;
  return {
    message: text(fields['message']) || text(error) || 'The request failed.',
    hint: text(hint),
    kind: text(kind),
    retryable: retryable === true,
  };
}

/** One line for a notification: "No Docker engine answers. Start Docker, or set DOCKER_HOST." */
export function errorText(error: UserError): string {
  return [error.message, error.hint]
    .filter(part => part !== '')
    .map(sentence)
    .join(' ');
}

function sentence(part: string): string {
  const line = part.trim().replace(/\s+/g, ' ');
  const capital = line.charAt(0).toUpperCase() + line.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
