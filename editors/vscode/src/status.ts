// The status bar item as a pure function of what is known.

import { currentSession, forwardedPorts, type Model } from './model';
import { countPorts } from './ports';
import type { AgentState, AgentStatus, Session } from './protocol';

/** Where the backend process stands. */
export type BackendState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly version: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type Health = 'ok' | 'busy' | 'warning' | 'stopped';

export interface StatusView {
  readonly health: Health;
  /** The item's text, with codicons. */
  readonly text: string;
  /** Lines of the tooltip. */
  readonly tooltip: readonly string[];
  /** For screen readers: the text without icons. */
  readonly accessible: string;
}

/** `task` is the title of the running progress, such as "Building image", when there is one. */
export function statusView(backend: BackendState, model: Model, task?: string): StatusView {
  switch (backend.kind) {
    case 'stopped':
      return view('stopped', 'circle-slash', 'Sketch', ['The backend is not running.']);
    case 'failed':
      return view('warning', 'warning', 'Sketch', [backend.reason]);
    case 'starting':
      return view('busy', 'loading~spin', 'Sketch', ['The backend is starting…']);
    case 'running':
      return runningView(model, task);
  }
}

function runningView(model: Model, task: string | undefined): StatusView {
  const session = currentSession(model);
  if (task !== undefined) return view('busy', 'loading~spin', 'Sketch', [`${task}…`]);
  if (session === undefined) return view('ok', 'vm-outline', 'Sketch', ['No session is running here.']);

  const about = [
    `Session ${session.name}`,
    ...(session.branch ? [`Branch ${session.branch}`] : []),
    ...(session.remote ? [session.remote] : []),
  ];
  switch (session.state) {
    case 'starting':
      return view('busy', 'loading~spin', 'Sketch', [...about, 'Starting…']);
    case 'reconnecting':
      return view('busy', 'loading~spin', 'Sketch: reconnecting', [...about, reconnecting(session)]);
    case 'lost':
      return view('warning', 'warning', 'Sketch: connection lost', [
        ...about,
        because(session, 'The connection is lost.'),
      ]);
    case 'gone':
      return view('warning', 'warning', 'Sketch: session gone', [
        ...about,
        because(session, 'Its container no longer exists.'),
      ]);
    case 'stopped':
      return view('warning', 'warning', 'Sketch: session stopped', [
        ...about,
        because(session, 'Its container does not run.'),
      ]);
    case 'connected':
      return agentView(model.agents.get(session.name), about) ?? connectedView(model, about);
  }
}

/** What the agent does, where it does something that counts more than the ports. */
function agentView(agent: AgentStatus | undefined, about: string[]): StatusView | undefined {
  const words = agent && agentWords[agent.state];
  if (words === undefined) return undefined;
  const [text, sentence] = words;
  if (agent?.state === 'asking') return view('warning', 'question', `Sketch: ${text}`, [...about, sentence]);
  const active = agent?.todo?.find(item => item.status === 'active')?.text;
  const lines = [...about, sentence, ...(active === undefined ? [] : [active])];
  return { ...view('busy', 'loading~spin', 'Sketch', lines), accessible: `Sketch, ${text}` };
}

const agentWords: Partial<Record<AgentState, [text: string, sentence: string]>> = {
  thinking: ['thinking', 'The agent is thinking…'],
  tools: ['working', 'The agent is working…'],
  asking: ['question', 'The agent waits for your answer.'],
  retrying: ['retrying', 'The model’s server is not to be had; trying again…'],
  compacting: ['compacting', 'The agent makes room in its context…'],
  cancelling: ['stopping', 'The agent is stopping…'],
};

function connectedView(model: Model, about: string[]): StatusView {
  const forwarded = forwardedPorts(model);
  if (forwarded.length === 0) return view('ok', 'vm-running', 'Sketch', [...about, 'No forwarded ports.']);
  const lines = forwarded.map(({ port }) => `${port.number} → ${port.url ?? `localhost:${port.hostPort}`}`);
  const text = `Sketch $(radio-tower) ${forwarded.length}`;
  const ports = countPorts(forwarded.length);
  return {
    ...view('ok', 'vm-running', text, [...about, ...lines]),
    accessible: `Sketch, ${ports} forwarded`,
  };
}

function reconnecting(session: Session): string {
  return session.attempt ? `Reconnecting, attempt ${session.attempt}…` : 'Reconnecting…';
}

function because(session: Session, sentence: string): string {
  return [sentence, session.error?.hint].filter(Boolean).join(' ');
}

function view(health: Health, icon: string, text: string, tooltip: string[]): StatusView {
  const accessible = [text, health === 'ok' ? '' : health].filter(Boolean).join(', ');
  return { health, text: `$(${icon}) ${text}`, tooltip, accessible };
}
