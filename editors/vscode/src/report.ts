// "Show Status" as a text that can be pasted into a bug report.

import type { Model } from './model';
import { portRow } from './ports';
import type { DoctorResult, Session, Status } from './protocol';
import type { Server } from './server';

export interface Versions {
  readonly extension: string;
  readonly editor: string;
  readonly platform: string;
  readonly backend?: string;
  readonly server?: Server;
}

export interface Facts {
  readonly versions: Versions;
  /** Where the backend stands, in words. */
  readonly state: string;
  readonly model: Model;
  /** The backend's own answers; undefined when it gave none. */
  readonly status: Status | undefined;
  readonly doctor: DoctorResult | undefined;
}

export function statusReport({ versions, state, model, status, doctor }: Facts): string {
  const { backend, server } = versions;
  const lines = [
    '# Sketch',
    '',
    `Extension  ${versions.extension} in ${versions.editor} on ${versions.platform}`,
    `Backend    ${backend ?? 'unknown version'}, ${state}`,
    ...(server === undefined ? [] : [`           ${server.path} (from ${sourceNames[server.source]})`]),
    ...(status === undefined ? [] : [`Engine     ${status.engine || 'none answers'}`]),
    '',
    ...doctorLines(doctor),
  ];
  const sessions = status?.sessions ?? [...model.sessions.values()];
  if (sessions.length === 0) lines.push('No sessions on this machine.');
  for (const session of sessions) lines.push(...sessionLines(session, model));
  return `${lines.join('\n').trimEnd()}\n`;
}

function doctorLines(doctor: DoctorResult | undefined): string[] {
  if (doctor === undefined) return [];
  const lines = doctor.checks.map(check => {
    const hint = check.ok || !check.hint ? '' : ` — ${check.hint}`;
    return `${check.ok ? 'ok  ' : 'FAIL'}  ${check.name}: ${check.detail}${hint}`;
  });
  return ['## Checks', '', ...lines, ''];
}

const sourceNames = {
  setting: 'the setting sketch.serverPath',
  environment: 'SKETCH_IDE_SERVER',
  bundled: 'the extension',
  path: 'PATH',
} as const;

function sessionLines(session: Session, model: Model): string[] {
  const here = model.sessions.has(session.name) ? ', of this window' : '';
  const facts: [string, string | undefined][] = [
    ['Folder', session.folder],
    ['Image', session.image],
    ['Inside', session.workspace],
    ['Branch', session.branch],
    ['Commit', session.commit],
    ['SSH', session.ssh],
    ['Error', session.error?.message],
    ['Hint', session.error?.hint],
  ];
  const lines = [`## ${session.name}`, '', `State      ${session.state}${here}`];
  for (const [name, value] of facts) if (value) lines.push(`${name.padEnd(11)}${value}`);
  for (const port of model.ports.get(session.name) ?? []) {
    const row = portRow(port);
    lines.push(`Port       ${[row.label, row.description, row.detail].filter(Boolean).join('  ')}`);
  }
  return [...lines, ''];
}
