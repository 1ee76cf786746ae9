import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressParts,
  diffEnds,
  diffTitle,
  fileDescription,
  parseAddress,
  placeholder,
  sideOf,
  versionOf,
} from '../../src/changes/files';
import { mergeDone, mergePlan, resolvePrompt } from '../../src/changes/mergeWords';
import { leftInside, otherRow } from '../../src/changes/others';
import { commentsWords, escapeMarkdown, groupComments } from '../../src/changes/threads';
import type { DiffFile, MergeResult } from '../../src/protocol';

const file: DiffFile = { path: 'src/a b#?.go', status: 'modified', added: 3, deleted: 1 };

test('an address is read back as it was, whatever the name', () => {
  const address = { session: 'sketch-brave-otter', path: file.path, version: 'branch' } as const;
  assert.deepEqual(parseAddress(addressParts(address)), address);
  const other = { ...address, branch: 'sketch/brave-otter--try-two' };
  assert.deepEqual(parseAddress(addressParts(other)), other);
});

test('other addresses are none of ours', () => {
  const parts = addressParts({ session: 's', path: 'a', version: 'base' });
  assert.equal(parseAddress({ ...parts, scheme: 'file' }), undefined);
  assert.equal(parseAddress({ ...parts, path: '/' }), undefined);
  assert.equal(parseAddress({ ...parts, query: 'session=s&version=other' }), undefined);
  assert.equal(parseAddress({ ...parts, query: 'version=base' }), undefined);
});

test('a renamed file has its old name on the left', () => {
  const renamed: DiffFile = { ...file, path: 'new.go', oldPath: 'old.go', status: 'renamed' };
  const diff = { session: 's', branch: 'sketch/x', base: '0123456', files: [renamed] };
  const { left, right } = diffEnds({ diff, uncommitted: false }, renamed);
  assert.deepEqual(
    [left.path, left.version, right.path, right.version],
    ['old.go', 'base', 'new.go', 'branch'],
  );
  assert.equal(diffEnds({ diff, uncommitted: true }, renamed).right.version, 'inside');
  const other = diffEnds({ diff, uncommitted: false, branch: 'sketch/x--two' }, renamed);
  assert.deepEqual([other.left.branch, other.right.branch], [undefined, 'sketch/x--two']); // they have one base
  assert.equal(diffTitle(renamed, 'main', 'sketch/x'), 'new.go (main ↔ sketch/x)');
  assert.equal(fileDescription(renamed), 'was old.go · +3 −1');
  assert.equal(fileDescription({ ...file, binary: true }), 'src · binary');
});

test('comments stand on the version that their side shows', () => {
  assert.equal(sideOf('base'), 'old');
  assert.equal(sideOf('inside'), 'new');
  assert.equal(versionOf('old', true), 'base');
  assert.equal(versionOf(undefined, false), 'branch');
});

test('what has no text says so', () => {
  assert.equal(placeholder({ exists: false }), '');
  assert.match(placeholder({ exists: true, binary: true }), /binary/);
  assert.equal(placeholder({ exists: true, content: 'a\n' }), 'a\n');
});

test('comments on the same line are one thread', () => {
  const comments = [
    { id: '1', path: 'a.go', line: 3, text: 'why?' },
    { id: '2', path: 'a.go', line: 3, side: 'new' as const, text: 'and how?' },
    { id: '3', path: 'a.go', line: 3, side: 'old' as const, text: 'was better' },
  ];
  assert.deepEqual(
    [...groupComments(comments).values()].map(thread => thread.comments.length),
    [2, 1],
  );
  assert.equal(commentsWords(comments), '3 comments on 1 file');
});

const predicted: MergeResult = {
  session: 's',
  branch: 'sketch/fix-login',
  into: 'main',
  how: 'merge',
  commits: 2,
  done: false,
};

test('a merge is asked for with what it would do', () => {
  assert.deepEqual(mergePlan(predicted), {
    message: 'Merge sketch/fix-login into main?',
    detail: '2 commits, no conflicts.',
    button: 'Merge',
  });
  assert.equal(mergePlan({ ...predicted, how: 'cherryPick' }).button, 'Cherry-pick');
  assert.equal(mergeDone({ ...predicted, done: true }), 'Merged sketch/fix-login into main: 2 commits.');
});

test('what cannot be merged has no button', () => {
  assert.equal(mergePlan({ ...predicted, commits: 0 }).button, undefined);
  const plan = mergePlan({ ...predicted, conflicts: ['a.go', 'b.go'] });
  assert.equal(plan.button, undefined);
  assert.match(plan.detail, /a\.go\n {2}b\.go/);
});

test('a reset says what is lost', () => {
  assert.match(
    mergePlan({ ...predicted, how: 'reset', lost: 1 }).detail,
    /1 commit that only main has will be left behind/,
  );
});

test('the agent is asked to resolve in terms that it can act on', () => {
  const many = Array.from({ length: 25 }, (_, n) => `f${n}`);
  const text = resolvePrompt({ ...predicted, conflicts: many });
  assert.match(text, /git fetch sketch-host/);
  assert.match(text, /and 5 more/);
  assert.match(text, /into your branch/);
});

test('of another branch the agent knows the name inside', () => {
  const text = resolvePrompt({ ...predicted, conflicts: ['a.go'] }, 'try/two');
  assert.match(text, /into `try\/two`/);
});

test('another branch says what is on it, and what keeps it from coming out', () => {
  const row = otherRow({ inside: 'try/two', name: 'sketch/fix-login--try-two', commit: 'fedcba', ahead: 1 });
  assert.equal(row.label, 'try/two');
  assert.equal(row.description, '1 commit · sketch/fix-login--try-two');
  assert.equal(row.context, 'branch');
  const error = { kind: 'git', message: 'git refuses what the container sent', retryable: false } as const;
  const stuck = otherRow({ inside: 'bad', ahead: 0, error });
  assert.deepEqual([stuck.icon, stuck.context, stuck.description], ['warning', 'waiting', error.message]);
});

test('what stays inside is said', () => {
  const branch = { session: 's', name: 'sketch/x', exists: false, base: '0', ahead: 0, behind: 0 };
  assert.deepEqual(leftInside(branch), []);
  assert.equal(leftInside({ ...branch, othersLeft: true, detached: '0123456789abcdef' }).length, 2);
});

test('a comment is shown as it was typed', () => {
  assert.equal(escapeMarkdown('Ask for the name first.'), 'Ask for the name first.');
  assert.equal(escapeMarkdown('**not** [bold](command:x)'), '\\*\\*not\\*\\* \\[bold\\](command:x)');
  assert.equal(escapeMarkdown('1. one\n- two\n# three'), '1\\. one  \n\\- two  \n\\# three');
  assert.equal(escapeMarkdown('<b>&amp;'), '\\<b\\>\\&amp;');
});
