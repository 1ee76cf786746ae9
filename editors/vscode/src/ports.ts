// Ports in words: the rows of the port list. The words are those of VS Code's own Ports view where it has one.

import type { Port } from './protocol';

/** What can be done with a port, in the order of its buttons; the first is done on Enter. */
export type PortChoice = 'open' | 'preview' | 'copy' | 'stop' | 'forward';

export interface PortRow {
  /** "3000", or "3000 → 3001" when it has another number on the host. */
  readonly label: string;
  /** Its name and its process. */
  readonly description: string;
  /** Where it is reachable, or why it is not. */
  readonly detail: string;
  readonly choices: readonly PortChoice[];
}

export function portRow(port: Port): PortRow {
  const mapped = port.hostPort !== undefined && port.hostPort !== port.number;
  return {
    label: mapped && port.status === 'forwarded' ? `${port.number} → ${port.hostPort}` : `${port.number}`,
    description: [port.label, port.process].filter(Boolean).join(' · '),
    detail: portDetail(port),
    choices: portChoices(port),
  };
}

function portDetail(port: Port): string {
  const because = port.reason === undefined || port.reason === '' ? '' : ` (${port.reason})`;
  switch (port.status) {
    case 'forwarded':
      return `${port.url ?? `localhost:${port.hostPort ?? port.number}`}${because}`;
    case 'failed':
      return `Could not be forwarded${because}`;
    case 'stopped':
      return 'Forwarding was stopped';
    case 'listed':
      return `Not forwarded${because}`;
    case 'closed':
      return 'Closed';
  }
}

function portChoices(port: Port): PortChoice[] {
  if (port.status !== 'forwarded') return ['forward'];
  return port.url === undefined ? ['stop'] : ['open', 'preview', 'copy', 'stop'];
}

/** "1 port", "2 ports". */
export function countPorts(count: number): string {
  return `${count} ${count === 1 ? 'port' : 'ports'}`;
}

/** What is wrong with a port's number that was typed; undefined when nothing is. */
export function hostPortProblem(text: string): string | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port > 0 && port < 65_536 ? undefined : 'A number from 1 to 65535.';
}
