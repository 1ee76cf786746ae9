// Taking over a session's work, in words.

import type { MergeHow, MergeResult } from '../protocol';
import { count } from '../words';

/** The ways, in the order in which they are offered. */
export const ways: readonly { how: MergeHow; title: string; detail: string; icon: string }[] = [
  { how: 'merge', title: 'Merge', detail: 'git merge, a fast-forward where possible', icon: 'git-merge' },
  { how: 'cherryPick', title: 'Cherry-Pick', detail: 'each commit anew on top of yours', icon: 'git-commit' },
  { how: 'squash', title: 'Squash', detail: 'all in one commit', icon: 'fold' },
  { how: 'reset', title: 'Reset', detail: 'your branch becomes the session’s', icon: 'discard' },
];

const verbs: Record<MergeHow, string> = {
  merge: 'Merge',
  cherryPick: 'Cherry-pick',
  squash: 'Squash',
  reset: 'Reset',
};

export interface Plan {
  /** The question, or the sentence that says why nothing is done. */
  readonly message: string;
  readonly detail: string;
  /** The button that does it; absent where it cannot be done. */
  readonly button?: string;
}

/** What to ask, or to say, after a prediction. */
export function mergePlan(predicted: MergeResult): Plan {
  const { branch, into, how, commits, conflicts = [], lost = 0 } = predicted;
  if (conflicts.length > 0) {
    return {
      message: `${branch} conflicts with ${into}. Nothing was changed.`,
      detail: ['Both changed:', ...listed(conflicts)].join('\n'),
    };
  }
  if (commits === 0 && how !== 'reset')
    return { message: `${into} already has all of ${branch}.`, detail: '' };
  const work = count(commits, 'commit');
  if (how === 'reset') {
    const losing = lost > 0 ? `${count(lost, 'commit')} that only ${into} has will be left behind.` : '';
    return { message: `Reset ${into} to ${branch}?`, detail: losing || `It gets ${work}.`, button: 'Reset' };
  }
  const question =
    how === 'cherryPick'
      ? `Cherry-pick ${work} of ${branch} onto ${into}?`
      : `${verbs[how]} ${branch} into ${into}?`;
  return { message: question, detail: `${work}, no conflicts.`, button: verbs[how] };
}

/** "Merged sketch/fix-login into main: 2 commits." */
export function mergeDone({ branch, into, how, commits }: MergeResult): string {
  const work = count(commits, 'commit');
  switch (how) {
    case 'merge':
      return `Merged ${branch} into ${into}: ${work}.`;
    case 'cherryPick':
      return `Cherry-picked ${work} of ${branch} onto ${into}.`;
    case 'squash':
      return `Squashed ${work} of ${branch} into one on ${into}.`;
    case 'reset':
      return `Reset ${into} to ${branch}.`;
  }
}

/**
 * What the agent is asked to do about conflicts; it has the host's branches by the remote sketch-host, and another branch
 * than its own under the name inside.
 */
export function resolvePrompt({ branch, into, conflicts = [] }: MergeResult, inside?: string): string {
  const other = inside === undefined ? '' : ` (\`${inside}\` inside)`;
  const target = inside === undefined ? 'your branch' : `\`${inside}\``;
  return [
    `My branch ${into} and your branch ${branch}${other} conflict in:`,
    ...listed(conflicts),
    '',
    `Please run \`git fetch sketch-host\`, merge \`sketch-host/${into}\` into ${target}, resolve the conflicts so that both intents are kept, run the tests, and commit.`,
  ].join('\n');
}

const shownPaths = 20;

function listed(paths: readonly string[]): string[] {
  const more = paths.length - shownPaths;
  return [
    ...paths.slice(0, shownPaths).map(path => `  ${path}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
