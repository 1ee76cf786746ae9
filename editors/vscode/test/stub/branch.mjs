// The stand-in's branch: a small piece of work with its files, comments on it, and merges that do what the test wants.

const files = {
  'guestbook.py': {
    status: 'modified',
    base: 'import json\n\nprint("hello")\n',
    branch: '# Guest book.\nimport json\n\nprint("hello")\nprint("Sign here.")\n',
  },
  'src/server.py': {
    status: 'added',
    base: undefined,
    branch: 'from http.server import test\n\ntest(port=3000)\n',
    inside: 'from http.server import test\n\ntest(port=3000)\n# not committed yet\n',
  },
  'notes.txt': { status: 'deleted', base: 'old\n', branch: undefined },
};

/** What another branch has changed. */
const otherFiles = {
  'guestbook.py': {
    status: 'modified',
    base: files['guestbook.py'].base,
    branch: 'import json\n\nprint("hello")\nprint("Another way.")\n',
  },
};

export function createBranch({ session, tell, prompt }) {
  let branch = {
    session,
    name: 'sketch/guest-book',
    exists: false,
    base: '0123456789abcdef',
    baseBranch: 'main',
    ahead: 0,
    behind: 0,
  };
  let conflicts = [];
  let comments = [];
  let ids = 0;

  const lines = text => (text === undefined ? 0 : text.split('\n').length - 1);
  const diffFile = ([path, file], uncommitted) => {
    const right = uncommitted ? (file.inside ?? file.branch) : file.branch;
    const shared = file.base && right ? 1 : 0;
    return {
      path,
      status: file.status,
      added: lines(right) - shared,
      deleted: lines(file.base) - shared,
    };
  };

  const commands = {
    'sketch.diff': ({ uncommitted, branch: other }) => ({
      session,
      branch: other ?? branch.name,
      base: branch.base,
      ...(!uncommitted && {
        head: branch.others?.find(({ name }) => name === other)?.commit ?? branch.commit,
      }),
      files: Object.entries(other === undefined ? files : otherFiles)
        .map(entry => diffFile(entry, uncommitted))
        .sort((a, b) => a.path.localeCompare(b.path)),
    }),
    'sketch.file': ({ path, version, branch: other }) => {
      const file = (other === undefined ? files : otherFiles)[path] ?? {};
      const content = version === 'inside' ? (file.inside ?? file.branch) : file[version];
      return content === undefined ? { exists: false } : { exists: true, content };
    },
    'sketch.comment': change => {
      if (change.id !== undefined && change.text !== undefined) {
        comments = comments.map(known => (known.id === change.id ? { ...known, text: change.text } : known));
      } else if (change.id !== undefined) {
        comments = comments.filter(known => known.id !== change.id);
      } else if (change.path !== undefined) {
        const { path, line, side, text } = change;
        comments = [...comments, { id: `c${++ids}`, path, line, side, text }];
      }
      if (!change.send) return { session, comments };
      const sent = comments.length;
      prompt({ text: comments.map(({ path, line, text }) => `${path}:${line}: ${text}`).join('\n') });
      comments = [];
      return { session, comments, sent };
    },
    'sketch.merge': ({ how = 'merge', dryRun = false, branch: other }) => ({
      session,
      branch: other ?? branch.name,
      into: 'main',
      how,
      commits: other === undefined ? branch.ahead : 1,
      ...(how === 'reset' && { lost: 1 }),
      ...(conflicts.length > 0 && { conflicts }),
      done: !dryRun && conflicts.length === 0,
    }),
  };
  const operations = {
    branch: ({ branch: change }) => {
      branch = { ...branch, ...change };
      tell('$/sketch/branch', branch);
    },
    conflict: ({ paths }) => {
      conflicts = paths;
    },
  };
  return { commands, operations, attached: () => tell('$/sketch/branch', branch) };
}
