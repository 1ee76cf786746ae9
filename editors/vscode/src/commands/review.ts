// Commands of the session's work: look at it, comment on it, take it over.

import type * as vscode from 'vscode';
import type { ShownComment } from '../changes/comments';
import { openAllDiffs, openDiff } from '../changes/documents';
import { chooseMerge, merge } from '../changes/merge';
import type { BranchNode, FileNode } from '../changes/view';
import type { OtherBranch } from '../protocol';
import { type Command, needSession } from './context';

export const reviewCommands: Record<string, Command> = {
  'sketch.openChange': async ({ changes }, node) => {
    const { work, file } = (node ?? {}) as Partial<FileNode>;
    if (work !== undefined && file !== undefined) await openDiff(changes, work, file);
  },
  'sketch.openAllChanges': async ({ changes }, node) => {
    const other = otherOf(node);
    await openAllDiffs(other === undefined ? changes.work : await changes.workOf(other));
  },
  'sketch.refreshChanges': ({ changes }) => changes.reload(),
  'sketch.showUncommitted': ({ changes }) => changes.showUncommitted(true),
  'sketch.showCommitted': ({ changes }) => changes.showUncommitted(false),
  'sketch.takeOver': needing((context, node) => chooseMerge(context, otherOf(node))),
  'sketch.mergeBranch': needing(context => merge(context, 'merge')),
  'sketch.cherryPickBranch': needing(context => merge(context, 'cherryPick')),
  'sketch.squashBranch': needing(context => merge(context, 'squash')),
  'sketch.resetToBranch': needing(context => merge(context, 'reset')),
  'sketch.addComment': ({ comments }, reply) => comments.add(reply as vscode.CommentReply),
  'sketch.editComment': ({ comments }, comment) => comments.edit(comment as ShownComment),
  'sketch.cancelComment': ({ comments }, comment) => comments.cancelEdit(comment as ShownComment),
  'sketch.saveComment': ({ comments }, comment) => comments.save(comment as ShownComment),
  'sketch.deleteComment': ({ comments }, comment) => comments.remove(comment as ShownComment),
  'sketch.sendComments': needing(({ comments }) => comments.send()),
};

/** A command that means something in a session only. */
function needing(command: Command): Command {
  return async (context, ...args) => {
    if ((await needSession(context)) !== undefined) await command(context, ...args);
  };
}

/** The branch of a row of the Changes view; undefined where the session's own is meant. */
function otherOf(node: unknown): OtherBranch | undefined {
  return (node as Partial<BranchNode> | undefined)?.other;
}
