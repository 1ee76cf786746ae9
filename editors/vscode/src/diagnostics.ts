// "Collect Diagnostics": everything that a report of a fault needs, as one text to read before it is sent.

export interface Diagnostics {
  /** The report of "Show Status". */
  readonly report: string;
  /** What the user set of `sketch.*`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The latest lines of extension and backend. */
  readonly log: string;
  /** The latest lines of the agent inside; undefined where there is none. */
  readonly agentLog: readonly string[] | undefined;
}

export function diagnosticsText({ report, settings, log, agentLog }: Diagnostics): string {
  const parts = [
    report.trimEnd(),
    '## Settings',
    fenced(JSON.stringify(settings, masked, 2)),
    '## Log of the extension and the backend',
    fenced(tail(log)),
    ...(agentLog === undefined ? [] : ['## Log of the agent inside', fenced(agentLog.join('\n'))]),
  ];
  return redact(`${parts.join('\n\n')}\n`);
}

/** Members of settings whose values are for servers only: those of MCP servers often hold a key that looks like any word. */
const privateMembers = ['env', 'headers'];

function masked(name: string, value: unknown): unknown {
  if (!privateMembers.includes(name) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).map(key => [key, '…']));
}

const tailChars = 40_000;

function tail(text: string): string {
  if (text.length <= tailChars) return text.trimEnd();
  const cut = text.slice(-tailChars);
  return cut.slice(cut.indexOf('\n') + 1).trimEnd();
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(match => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** Nothing here should hold a key; what looks like one is taken out all the same. */
export function redact(text: string): string {
  return text
    .replace(/\b(sk|ghp|gho|github_pat|glpat|xox[abp])[-_][A-Za-z0-9_-]{8,}/g, '$1-…')
    .replace(/(:\/\/)[^\s/@:"']*:[^\s/@"']+@/g, '$1…@')
    .replace(
      /\b(authorization|x-api-key|api[-_]?key|token|password)(["']?\s*[:=]\s*["']?)(bearer\s+)?[^\s"',]{6,}/gi,
      '$1$2…',
    );
}
