// Files of a session's work: their addresses as read-only documents, and their rows in the Changes view.

import type { DiffFile, DiffResult, FileStatus, FileVersion, Side } from '../protocol';

/** Scheme of the documents that show one version of a file. */
export const fileScheme = 'sketch-file';

/** What names a document: the file is the path of its address, the rest its query. */
export interface FileAddress {
  readonly session: string;
  /** One of the session's other branches; absent for its own. */
  readonly branch?: string;
  readonly path: string;
  readonly version: FileVersion;
}

/** The parts of a document's address; the path begins with a slash, as addresses have it. */
export function addressParts(file: FileAddress): { scheme: string; path: string; query: string } {
  const query = new URLSearchParams({ session: file.session, version: file.version });
  if (file.branch !== undefined) query.set('branch', file.branch);
  return { scheme: fileScheme, path: `/${file.path}`, query: query.toString() };
}

/** Reads an address; undefined for what is none of ours. */
export function parseAddress(parts: {
  scheme: string;
  path: string;
  query: string;
}): FileAddress | undefined {
  if (parts.scheme !== fileScheme) return undefined;
  const query = new URLSearchParams(parts.query);
  const session = query.get('session') ?? '';
  const version = versions.find(known => known === query.get('version'));
  const path = parts.path.replace(/^\/+/, '');
  if (session === '' || version === undefined || path === '') return undefined;
  const branch = query.get('branch') ?? '';
  return { session, ...(branch !== '' && { branch }), path, version };
}

const versions: readonly FileVersion[] = ['base', 'branch', 'inside'];

/** The side of a diff on which a version stands. */
export function sideOf(version: FileVersion): Side {
  return version === 'base' ? 'old' : 'new';
}

/** The version that a comment on a side is shown on. */
export function versionOf(side: Side | undefined, uncommitted: boolean): FileVersion {
  if (side === 'old') return 'base';
  return uncommitted ? 'inside' : 'branch';
}

/** Work that is shown: what was committed on the session's own branch, what is inside, or another branch. */
export interface Work {
  readonly diff: DiffResult;
  readonly uncommitted: boolean;
  /** The other branch. */
  readonly branch?: string;
}

/** Both ends of a file's diff; a renamed file has its old name on the left. */
export function diffEnds(
  { diff, uncommitted, branch }: Work,
  file: DiffFile,
): { left: FileAddress; right: FileAddress } {
  const { session } = diff;
  const version = uncommitted ? 'inside' : 'branch';
  return {
    left: { session, path: file.oldPath ?? file.path, version: 'base' },
    right: { session, ...(branch !== undefined && { branch }), path: file.path, version },
  };
}

/** "main.go (main ↔ sketch/fix-login)" */
export function diffTitle(file: DiffFile, left: string, right: string): string {
  const name = file.path.split('/').at(-1) ?? file.path;
  return `${name} (${left} ↔ ${right})`;
}

export interface StatusMark {
  /** One letter, as git has it. */
  readonly letter: string;
  readonly word: string;
  /** The theme's colour for it, of VS Code's own git view. */
  readonly color: string;
}

export const statusMarks: Record<FileStatus, StatusMark> = {
  added: { letter: 'A', word: 'Added', color: 'gitDecoration.addedResourceForeground' },
  modified: { letter: 'M', word: 'Modified', color: 'gitDecoration.modifiedResourceForeground' },
  deleted: { letter: 'D', word: 'Deleted', color: 'gitDecoration.deletedResourceForeground' },
  renamed: { letter: 'R', word: 'Renamed', color: 'gitDecoration.renamedResourceForeground' },
  typeChanged: { letter: 'T', word: 'Type changed', color: 'gitDecoration.modifiedResourceForeground' },
};

/** "src · +12 −3", "was old/name.go · +1 −1", "binary". */
export function fileDescription(file: DiffFile): string {
  const folder = file.path.split('/').slice(0, -1).join('/');
  const was = file.oldPath === undefined ? '' : `was ${file.oldPath}`;
  const lines = file.binary ? 'binary' : `+${file.added} −${file.deleted}`;
  return [folder, was, lines].filter(Boolean).join(' · ');
}

/** What a document says that has no text to show. */
export function placeholder(file: { exists: boolean; binary?: boolean; content?: string }): string {
  if (!file.exists) return '';
  return file.binary ? 'This file has no lines to show: it is binary.\n' : (file.content ?? '');
}
