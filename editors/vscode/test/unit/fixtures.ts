import { emptyModel, type Model, type ModelEvent, reduce } from '../../src/model';
import type { AgentStatus, Port, Session } from '../../src/protocol';

export function session(fields: Partial<Session> = {}): Session {
  return { name: 'sketch-brave-otter', folder: '/src/app', state: 'connected', owner: true, ...fields };
}

export function port(number: number, fields: Partial<Port> = {}): Port {
  const url = `http://localhost:${fields.hostPort ?? number}/`;
  return {
    number,
    hostPort: number,
    url,
    status: 'forwarded',
    action: 'notify',
    addresses: ['127.0.0.1'],
    ...fields,
  };
}

export function modelOf(...events: ModelEvent[]): Model {
  return events.reduce(reduce, emptyModel);
}

export function portsEvent(...ports: Port[]): ModelEvent {
  return { type: 'ports', ports: { session: 'sketch-brave-otter', owner: true, ports } };
}

export function sessionEvent(fields: Partial<Session> = {}): ModelEvent {
  return { type: 'session', session: session(fields) };
}

export function agentEvent(fields: Partial<AgentStatus> = {}): ModelEvent {
  const usage = { inputTokens: 0, outputTokens: 0, dollars: 0, priced: false };
  return {
    type: 'agent',
    status: { session: 'sketch-brave-otter', state: 'idle', turn: 1, usage, ...fields },
  };
}
