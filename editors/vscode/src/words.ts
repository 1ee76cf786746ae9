// Numbers in words that views and status reports share.

import type { Usage } from './protocol';

/** "1 commit", "2 commits". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** "now", "5 min", "3 h", "2 d": how long ago that was; empty for no time. */
export function age(time: string | undefined, now: number): string {
  const then = Date.parse(time ?? '');
  if (Number.isNaN(then)) return '';
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / (24 * 60))} d`;
}

/** "$0.42", or the tokens where no price is known; empty while nothing was used. */
export function cost(usage: Usage | undefined): string {
  if (usage === undefined) return '';
  if (usage.priced && usage.dollars > 0) return dollars(usage.dollars);
  const all =
    usage.inputTokens + usage.outputTokens + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
  return all === 0 ? '' : `${tokens(all)} tokens`;
}

function dollars(value: number): string {
  return value < 0.01 ? '<$0.01' : `$${value.toFixed(2)}`;
}

/** "950", "12k", "1.2M". */
export function tokens(value: number): string {
  if (value < 1000) return `${value}`;
  if (value < 1_000_000) return `${Math.round(value / 1000)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** "120 ms", "3.4 s", "2 min 5 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
