// The branches that were made inside beside the session's own, as rows of the Changes view.

import type { Branch, OtherBranch } from '../protocol';
import { present, type Row } from '../views/rows';
import { count } from '../words';

/** Their names inside are the container's words: shown as text, and never used as a name here. */
export function otherRow({ inside, name, commit, ahead, error }: OtherBranch): Row {
  const work = name === undefined ? '' : count(ahead, 'commit');
  return {
    label: inside,
    description: [error?.message ?? '', work, name ?? ''].filter(Boolean).join(' · '),
    icon: error === undefined ? 'git-branch' : 'warning',
    ...(error !== undefined && { color: 'list.warningForeground' }),
    facts: present([
      ['Branch inside', inside],
      ['Branch here', name],
      ['Commits', work],
      ['Latest', commit?.slice(0, 12)],
      ['Problem', error?.message],
      ['Hint', error?.hint],
    ]),
    context: name === undefined ? 'waiting' : 'branch',
    accessible: [`Branch ${inside}`, work, error?.message].filter(Boolean).join(', '),
  };
}

/** What stays inside, in a sentence each. */
export function leftInside({ othersLeft, detached }: Branch): string[] {
  return [
    ...(othersLeft ? ['There are more branches inside than are brought out.'] : []),
    ...(detached === undefined
      ? []
      : [`Commit ${detached.slice(0, 12)} inside is on no branch, and so is not brought out.`]),
  ];
}
