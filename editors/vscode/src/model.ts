// What this window knows of its sessions and their ports. The backend always sends full state, so each message replaces
// what was known; events only say that something is new.

import { sep } from 'node:path';
import type { AgentStatus, Branch, Port, PortsNotification, Session } from './protocol';

export interface Model {
  readonly sessions: ReadonlyMap<string, Session>;
  readonly ports: ReadonlyMap<string, readonly Port[]>;
  /** What each session's commits come back as. */
  readonly branches: ReadonlyMap<string, Branch>;
  /** How each session's agent stands. */
  readonly agents: ReadonlyMap<string, AgentStatus>;
}

export type ModelEvent =
  | { readonly type: 'session'; readonly session: Session }
  | { readonly type: 'ports'; readonly ports: PortsNotification }
  | { readonly type: 'branch'; readonly branch: Branch }
  | { readonly type: 'agent'; readonly status: AgentStatus }
  | { readonly type: 'reset' };

export const emptyModel: Model = {
  sessions: new Map(),
  ports: new Map(),
  branches: new Map(),
  agents: new Map(),
};

/** Returns the model after an event; the given one is not changed. */
export function reduce(model: Model, event: ModelEvent): Model {
  switch (event.type) {
    case 'reset':
      return emptyModel;
    case 'session':
      return withSession(model, event.session);
    case 'ports': {
      const ports = event.ports.ports.toSorted((a, b) => a.number - b.number);
      return { ...model, ports: new Map(model.ports).set(event.ports.session, ports) };
    }
    case 'branch':
      return { ...model, branches: new Map(model.branches).set(event.branch.session, event.branch) };
    case 'agent':
      return { ...model, agents: new Map(model.agents).set(event.status.session, event.status) };
  }
}

function withSession(model: Model, session: Session): Model {
  const sessions = new Map(model.sessions);
  const ports = new Map(model.ports);
  const branches = new Map(model.branches);
  const agents = new Map(model.agents);
  // Without an error it was ended on request, and is over; with one it stopped by itself, and can be resumed.
  if (session.state === 'stopped' && session.error === undefined) {
    for (const map of [sessions, branches, agents]) map.delete(session.name);
  } else {
    sessions.set(session.name, session);
  }
  // Without a container there are no ports, whether or not the backend says so first.
  if (session.state === 'stopped' || session.state === 'gone') ports.delete(session.name);
  return { sessions, ports, branches, agents };
}

/** The session that commands of this window mean: the newest one that has a container, else the newest. */
export function currentSession(model: Model): Session | undefined {
  const sessions = [...model.sessions.values()].sort((a, b) =>
    (b.created ?? '').localeCompare(a.created ?? ''),
  );
  return sessions.find(session => session.state !== 'gone') ?? sessions[0];
}

/** A port with the session that it belongs to. */
export interface SessionPort {
  readonly session: string;
  readonly port: Port;
}

/** All ports of all sessions of this window; those that just closed are left out. */
export function openPorts(model: Model): SessionPort[] {
  return [...model.ports].flatMap(([session, ports]) =>
    ports.filter(port => port.status !== 'closed').map(port => ({ session, port })),
  );
}

export function forwardedPorts(model: Model): SessionPort[] {
  return openPorts(model).filter(({ port }) => port.status === 'forwarded');
}

/**
 * The session among those of the machine that a folder of this window has: it outlived the window that started it. One
 * whose container was stopped, or cannot be entered any more, is left to the user.
 */
export function sessionOfFolder(sessions: readonly Session[], folder: string): Session | undefined {
  const inside = (root: string): boolean =>
    folder === root || folder.startsWith(root.endsWith(sep) ? root : root + sep);
  const runs = (session: Session): boolean => session.state !== 'stopped' && session.state !== 'gone';
  return sessions.find(session => inside(session.folder) && runs(session) && session.error === undefined);
}
