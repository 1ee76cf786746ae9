// The rows of the Sessions and Ports views, as pure functions of what is known.

import { basename } from 'node:path';
import type { AgentState, AgentStatus, Branch, Port, Session, SessionState } from '../protocol';
import { age, cost, count } from '../words';

export interface Row {
  readonly label: string;
  readonly description: string;
  /** Name of a codicon, and of a theme's colour for it. */
  readonly icon: string;
  readonly color?: string;
  /** Facts of the tooltip, in order; those without a value are left out. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Words that package.json's menus look for. */
  readonly context: string;
  /** For screen readers. */
  readonly accessible: string;
}

export interface SessionFacts {
  readonly session: Session;
  readonly branch: Branch | undefined;
  readonly agent: AgentStatus | undefined;
  /** It is one of this window. */
  readonly here: boolean;
}

export function sessionRow({ session, branch, agent, here }: SessionFacts, now: number): Row {
  const label = branch?.name ?? session.branch ?? session.name;
  const state = agentWords[agent?.state ?? 'off'] ?? stateWords[session.state];
  const words = session.state === 'connected' ? state : stateWords[session.state];
  const spent = cost(agent?.usage);
  const folder = basename(session.folder);
  const [icon, color] = sessionIcon(session.state, agent?.state);
  const since = age(session.created, now);
  return {
    label,
    description: [here ? '' : folder, words, spent, since].filter(Boolean).join(' · '),
    icon,
    ...(color !== undefined && { color }),
    facts: present([
      ['Session', session.name],
      ['Folder', session.folder],
      ['State', [words, session.error?.message].filter(Boolean).join(': ')],
      ['Hint', session.error?.hint],
      ['Branch', branchWords(branch)],
      ['Model', agent?.model],
      ['Cost', spent],
      ['Image', session.image],
      ['Age', since],
    ]),
    context: ['session', here ? 'here' : 'elsewhere', runs(session.state) ? 'running' : 'ended'].join(' '),
    accessible: `${label}, ${words}${here ? '' : `, of ${folder}`}`,
  };
}

const stateWords: Record<SessionState, string> = {
  starting: 'starting',
  connected: 'connected',
  reconnecting: 'reconnecting',
  lost: 'connection lost',
  stopped: 'stopped',
  gone: 'gone',
};

/** What is said of an agent; nothing where the connection is what counts. */
const agentWords: Partial<Record<AgentState, string>> = {
  thinking: 'thinking',
  tools: 'working',
  asking: 'asks you',
  retrying: 'retrying',
  compacting: 'compacting',
  cancelling: 'stopping',
};

function sessionIcon(state: SessionState, agent: AgentState | undefined): [icon: string, color?: string] {
  if (state === 'starting' || state === 'reconnecting') return ['loading~spin'];
  if (state === 'lost' || state === 'gone') return ['warning', 'list.warningForeground'];
  if (state === 'stopped') return ['debug-pause'];
  if (agent === 'asking') return ['question', 'list.warningForeground'];
  return agentWords[agent ?? 'off'] === undefined ? ['vm-running', 'testing.iconPassed'] : ['loading~spin'];
}

function runs(state: SessionState): boolean {
  return state !== 'stopped' && state !== 'gone';
}

function branchWords(branch: Branch | undefined): string | undefined {
  if (branch === undefined) return undefined;
  if (!branch.exists) return `${branch.name}, nothing committed yet`;
  const behind = branch.behind > 0 ? `, ${branch.behind} behind ${branch.baseBranch ?? 'its base'}` : '';
  return `${branch.name}, ${count(branch.ahead, 'commit')}${behind}`;
}

/** The words are those of VS Code's own Ports view. */
export function portTreeRow(port: Port): Row {
  const forwarded = port.status === 'forwarded';
  const mapped = forwarded && port.hostPort !== undefined && port.hostPort !== port.number;
  const address = forwarded ? `localhost:${port.hostPort ?? port.number}` : portWords(port);
  const process = [port.label, port.process].filter(Boolean).join(' · ');
  const [icon, color] = portIcon(port);
  return {
    label: mapped ? `${port.number} → ${port.hostPort}` : `${port.number}`,
    description: [address, process].filter(Boolean).join(' · '),
    icon,
    ...(color !== undefined && { color }),
    facts: present([
      ['Port', `${port.number}`],
      ['Forwarded Address', forwarded ? (port.url ?? address) : undefined],
      ['Running Process', [port.process, port.pid && `(${port.pid})`].filter(Boolean).join(' ')],
      ['Label', port.label],
      ['State', portWords(port)],
      ['Reason', port.reason],
      ['Listens on', port.addresses.join(', ')],
    ]),
    context: ['port', port.status, forwarded && port.url !== undefined ? 'web' : '']
      .filter(Boolean)
      .join(' '),
    accessible: `Port ${port.number}, ${portWords(port)}${forwarded ? ` at ${address}` : ''}${process && `, ${process}`}`,
  };
}

function portWords(port: Port): string {
  switch (port.status) {
    case 'forwarded':
      return 'forwarded';
    case 'listed':
      return 'not forwarded';
    case 'stopped':
      return 'forwarding stopped';
    case 'failed':
      return 'could not be forwarded';
    case 'closed':
      return 'closed';
  }
}

function portIcon(port: Port): [icon: string, color?: string] {
  switch (port.status) {
    case 'forwarded':
      return ['circle-filled', 'ports.iconRunningProcessForeground'];
    case 'failed':
      return ['warning', 'list.warningForeground'];
    default:
      return ['circle-outline'];
  }
}

/** Facts without those that have no value. */
export function present(facts: (readonly [string, string | undefined])[]): [string, string][] {
  return facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]]));
}
