// The backend's log lines on stderr (slog's text or JSON form) as level and text for a log channel.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
}

const levels: Record<string, LogLevel> = { DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

/** The channel adds its own time, so the line's is dropped. What is no slog line (a panic's stack) is kept as it is. */
export function parseLogLine(line: string): LogLine {
  return parseJSON(line) ?? parseText(line) ?? { level: 'info', text: line };
}

function parseText(line: string): LogLine | undefined {
  const match = /^(?:time=\S+ )?level=([A-Z]+)(?:[+-]\d+)? (.*)$/s.exec(line);
  if (match === null) return undefined;
  const [, level = '', rest = ''] = match;
  const message = /^msg=("(?:[^"\\]|\\.)*"|\S+) ?(.*)$/s.exec(rest);
  if (message === null) return { level: levels[level] ?? 'info', text: rest };
  const [, quoted = '', fields = ''] = message;
  return { level: levels[level] ?? 'info', text: [unquote(quoted), fields].filter(Boolean).join(' ') };
}

function parseJSON(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { time: _, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    if (typeof level !== 'string' || typeof msg !== 'string') return undefined;
    const pairs = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return { level: levels[level] ?? 'info', text: [msg, ...pairs].join(' ') };
  } catch {
    return undefined;
  }
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text; // Go quotes a few runes in ways JSON does not know
  }
}
