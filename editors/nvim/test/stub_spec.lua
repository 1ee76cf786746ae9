-- The plugin against the stand-in for the backend (editors/vscode/test/stub): what the real one cannot be made to do on demand.
local directory = vim.env.STUB_DIR

local function record()
  local lines = vim.fn.filereadable(directory .. '/record.jsonl') == 1 and vim.fn.readfile(directory .. '/record.jsonl') or {}
  return vim.tbl_map(vim.fn.json_decode, lines)
end

local function received(what, matches)
  return eventually(what, function()
    for _, entry in ipairs(record()) do
      if matches(entry) then
        return entry
      end
    end
  end)
end

local function executed(command)
  return received(command, function(entry)
    return entry.params and entry.params ~= vim.NIL and entry.params.command == command
  end).params
end

local function tell(control)
  local socket = vim.fn.sockconnect('pipe', directory .. '/control.sock')
  vim.fn.chansend(socket, vim.fn.json_encode(control) .. '\n')
end

local sketch = require('sketch')

it('nothing runs before it is asked for', function()
  equal(vim.fn.exists(':Sketch'), 2)
  equal(package.loaded['sketch.client'], nil)
  equal(sketch.statusline(), '')
end)

it('completes', function()
  equal(vim.fn.getcompletion('Sketch ', 'cmdline'), {
    'answer', 'cancel', 'chat', 'diff', 'log', 'merge', 'open', 'ports', 'prompt', 'ssh', 'start', 'status', 'stop',
  })
  equal(vim.fn.getcompletion('Sketch merge ', 'cmdline'), { 'cherryPick', 'merge', 'reset', 'squash' })
  equal(vim.fn.getcompletion('Sketch st', 'cmdline'), { 'start', 'status', 'stop' })
end)

it('commands without a session say so', function()
  for _, command in ipairs({ 'stop', 'ports', 'open', 'ssh', 'prompt x', 'chat', 'cancel', 'answer', 'diff', 'merge' }) do
    vim.cmd('Sketch ' .. command)
    message('no session is running here')
  end
  vim.cmd('Sketch nonsense')
  message('there is no :Sketch nonsense')
end)

it('a missing backend is told', function()
  sketch.setup({ cmd = { '/nowhere/sketch-ide' } })
  vim.cmd('Sketch start')
  message('/nowhere/sketch-ide was not found')
  sketch.setup(nil)
end)

it('start tells who speaks, and starts a session for the working directory', function()
  vim.cmd('Sketch start')
  message('sketch-stub-otter is ready')
  local initialize = received('initialize', function(entry)
    return entry.method == 'initialize'
  end).params
  equal(initialize.initializationOptions, { notifications = 'message' })
  equal(initialize.capabilities.experimental, { sketch = { version = 1, userSettings = true } })
  equal(initialize.capabilities.window.showDocument.support, true)
  equal(vim.uri_to_fname(initialize.workspaceFolders[1].uri), vim.fn.getcwd())
  equal(executed('sketch.start').arguments, { { folder = vim.fn.fnamemodify(vim.fn.getcwd(), ':p') } })
  equal(sketch.session().name, 'sketch-stub-otter')
  equal(sketch.statusline(), 'sketch')
end)

it('a forwarded port is told in one line', function()
  tell({ op = 'port', port = { number = 3000, hostPort = 3001, reason = '3000 in use', process = 'vite' } })
  message('sketch: Port 3000 (vite) forwarded to 3001 (3000 in use)')
  eventually('the port', function()
    return #sketch.ports() == 1
  end)
  equal(sketch.statusline(), 'sketch: 1 port')
  equal(vim.fn.getcompletion('Sketch open ', 'cmdline'), { '3000' })
end)

it('ports lists it, and copies its URL', function()
  local offered = choose('3000', 'Copy URL')
  vim.cmd('Sketch ports')
  equal(offered[1], { '3000 → 3001  http://localhost:3001/  vite  (3000 in use)' })
  equal(offered[2], { 'Open in Browser', 'Copy URL', 'Stop Forwarding' })
  equal(vim.fn.getreg('"'), 'http://localhost:3001/')
end)

it('open opens the browser', function()
  vim.cmd('Sketch open 3000')
  eventually('the browser', function()
    return vim.fn.filereadable(directory .. '/opened') == 1 and vim.fn.readfile(directory .. '/opened')[1] == 'http://localhost:3001/'
  end)
  received('shown', function(entry)
    return type(entry.result) == 'table' and entry.result.success == true
  end)
end)

it('a late wish for a port that is gone is an error with its text', function()
  vim.cmd('Sketch open 4000')
  local told = message('port 4000 is not open')
  equal(told.level, vim.log.levels.ERROR)
  vim.cmd('Sketch open web')
  message('web is not a port')
  equal(vim.fn.count(table.concat(messages(), '\n'), 'is not a port'), 1)
end)

it('only web pages are opened', function()
  for _, url in ipairs({ 'file:///etc/passwd', 'javascript:alert(1)', 'x; rm' }) do
    equal(require('sketch.browser').open(url), false, url)
  end
end)

it('a request for a choice is answered at once, without a prompt', function()
  local params = { type = 3, message = 'Choose', actions = { { title = 'A' }, { title = 'B' } } }
  tell({ op = 'send', message = { id = 'ask-1', method = 'window/showMessageRequest', params = params } })
  message('sketch: Choose')
  received('the answer', function(entry)
    return entry.id == 'ask-1'
  end)
end)

it('progress is in the status line', function()
  local function send(value)
    tell({ op = 'send', message = { method = '$/progress', params = { token = 'build', value = value } } })
  end
  send({ kind = 'begin', title = 'Starting', message = 'Building image', percentage = 40 })
  eventually('the progress', function()
    return sketch.statusline() == 'sketch: Building image 40%%'
  end)
  send({ kind = 'end' })
  eventually('its end', function()
    return sketch.statusline() == 'sketch: 1 port'
  end)
end)

it('a lost connection is in the status line', function()
  tell({ op = 'session', session = { state = 'lost' } })
  eventually('the state', function()
    return sketch.statusline() == 'sketch: lost'
  end)
  tell({ op = 'session', session = { state = 'connected' } })
end)

it('status shows a report', function()
  vim.cmd('Sketch status')
  eventually('the buffer', function()
    return vim.fn.bufname() == 'sketch://status'
  end)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  equal(lines[1], 'sketch-ide 0.1.0, Stub 1.0')
  equal(lines[4], '  3000 → 3001  http://localhost:3001/  vite  (3000 in use)')
  vim.cmd('bwipeout!')
end)

it('ssh copies its command with a bang', function()
  vim.cmd('Sketch! ssh')
  message('copied ssh sketch-stub-otter')
  equal(vim.fn.getreg('"'), 'ssh sketch-stub-otter')
end)

local function chat()
  return table.concat(vim.api.nvim_buf_get_lines(vim.fn.bufnr('^sketch://chat$'), 0, -1, false), '\n')
end

local function chats(text)
  return eventually(text, function()
    return chat():find(text, 1, true)
  end)
end

it('a prompt begins a turn, with the lines of a range', function()
  vim.fn.writefile({ 'one', 'two', 'three' }, 'page.txt')
  vim.cmd('edit page.txt')
  vim.cmd('2,3Sketch prompt explain this and ask')
  message('the agent is at work')
  local sent = executed('sketch.prompt').arguments[1]
  equal(sent.text, 'explain this and ask')
  equal({ sent.context[1].path, sent.context[1].startLine, sent.context[1].endLine, sent.context[1].text }, { 'page.txt', 2, 3, 'two\nthree' })
  eventually('the question', function()
    return sketch.statusline() == 'sketch: asks, 1 port'
  end)
  vim.cmd('bwipeout!')
end)

it('chat shows the conversation, and goes on with it', function()
  vim.cmd('Sketch chat')
  chats('explain this')
  chats('Which colour should the button have?\n1. Blue\n2. Green\n:Sketch answer')
  local text = chat()
  equal(text:find('## You\n\nexplain this and ask', 1, true) ~= nil, true, text)
  equal(text:find('✓ bash: python3 -m unittest (3.4 s)', 1, true) ~= nil, true, text)
  equal(text:find('[guest-book.png]', 1, true) ~= nil, true, text)
  equal(vim.bo.modifiable, false)
  local offered = choose('Green')
  vim.cmd('Sketch answer')
  equal(offered[1], { 'Blue', 'Green' })
  chats('→ Green')
  chats('> Committed')
  equal(vim.api.nvim_win_get_cursor(0)[1], vim.api.nvim_buf_line_count(0), 'the end is followed')
  vim.cmd('Sketch answer')
  message('the agent asks nothing')
end)

it('what a tool said is shown on request', function()
  vim.fn.cursor(1, 1)
  vim.fn.search('✓ patch')
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('<Tab>', true, false, true), 'x', false)
  chats('    +<p>Sign here.</p>')
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('<Tab>', true, false, true), 'x', false)
  equal(chat():find('Sign here', 1, true), nil)
end)

it('a message is written below the conversation; the turn can be cancelled', function()
  vim.api.nvim_feedkeys('i', 'x', false)
  equal(vim.fn.bufname(), 'sketch://prompt')
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'please wait', 'a little' })
  vim.cmd('stopinsert')
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('<CR>', true, false, true), 'x', false)
  chats('please wait\na little')
  eventually('the empty buffer', function()
    return vim.fn.getline(1, '$')[1] == '' and vim.fn.line('$') == 1
  end)
  eventually('the turn', function()
    return sketch.statusline() == 'sketch: working, 1 port'
  end)
  vim.cmd('Sketch cancel')
  message('the agent was stopped')
  chats('✗ bash')
  vim.cmd('bwipeout!')
  vim.cmd('bwipeout! sketch://chat')
end)

it('diff lists the changes, and shows a file side by side', function()
  tell({ op = 'branch', branch = { exists = true, ahead = 2, commit = 'fedcba' } })
  eventually('the branch', function()
    return sketch.branch() and sketch.branch().ahead == 2
  end)
  vim.cmd('Sketch diff')
  eventually('the diff', function()
    return vim.fn.bufname() == 'sketch://diff' and vim.bo.filetype == 'diff'
  end)
  equal(vim.fn.getline(1):find('^diff %-%-git a/') ~= nil, true, vim.fn.getline(1))
  vim.cmd('bwipeout!')
  equal(vim.tbl_contains(vim.fn.getcompletion('Sketch diff ', 'cmdline'), 'src/server.py'), true)
  vim.cmd('Sketch! diff src/server.py')
  eventually('both sides', function()
    return #vim.api.nvim_tabpage_list_wins(0) == 2 and vim.fn.bufname():find('/inside/src/server.py', 1, true) and vim.fn.line('$') == 4
  end)
  equal(vim.wo.diff, true)
  equal(vim.bo.filetype, vim.fn.has('nvim-0.8') == 1 and 'python' or '')
  vim.cmd('tabclose')
end)

it('merge asks first, and tells a conflict instead', function()
  local offered = choose('Squash')
  vim.cmd('Sketch merge squash')
  message('sketch/guest-book: main is at')
  equal(offered[1], { 'Squash 2 commits of sketch/guest-book into main', 'Keep it apart' })
  tell({ op = 'conflict', paths = { 'index.html' } })
  eventually('the conflict', function() -- the stand-in may hear of it after the first wish
    vim.cmd('Sketch! merge')
    return vim.wait(500, function()
      return table.concat(messages(), '\n'):find('would conflict in index.html', 1, true)
    end, 10)
  end)
  local told = message('sketch/guest-book would conflict in index.html')
  equal(told.level, vim.log.levels.WARN)
  vim.cmd('Sketch merge sideways')
  message('sideways is no way to merge')
end)

it('stop asks, and ends the session', function()
  choose('Keep it')
  vim.cmd('Sketch stop')
  equal(sketch.session().name, 'sketch-stub-otter')
  choose('Stop')
  vim.cmd('Sketch stop')
  message('sketch-stub-otter is stopped')
  equal(executed('sketch.stop').arguments, { { session = 'sketch-stub-otter' } })
  equal(sketch.session(), nil)
end)

it('a crash is told, and start works again', function()
  tell({ op = 'exit', code = 7 })
  message('the backend ended (exit 7)')
  equal(sketch.statusline(), '')
  vim.cmd('Sketch start')
  message('sketch-stub-otter is ready')
end)

it('long messages of the built-in notify fit the last line', function()
  local replaced = vim.notify
  vim.notify = stock_notify
  require('sketch.notify').show(('word '):rep(60) .. '\nand a second line')
  local told = eventually('the message', function()
    return vim.fn.execute('messages'):match('sketch: word[^\n]*')
  end)
  vim.notify = replaced
  equal(vim.fn.strdisplaywidth(told) <= vim.v.echospace, true, told)
  equal(told:find('…$') ~= nil, true, told)
end)

it('log has all messages in full', function()
  vim.cmd('Sketch log')
  eventually('the log', function()
    return vim.fn.bufname() == 'sketch://log' or table.concat(messages(), '\n'):find('sketch.logs', 1, true)
  end)
  vim.cmd('Sketch! stop')
  message('is stopped')
  vim.cmd('Sketch log')
  local text = table.concat(vim.api.nvim_buf_get_lines(vim.fn.bufnr('sketch://log'), 0, -1, false), '\n')
  equal(text:find('and a second line', 1, true) ~= nil, true)
  vim.cmd('bwipeout!')
end)

it('checkhealth reports', function()
  vim.cmd('checkhealth sketch')
  local text = eventually('the report', function()
    local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    return report:find('version 0.1.0', 1, true) and report
  end)
  equal(text:find('the configuration is valid', 1, true) ~= nil, true, text)
  equal(text:upper():find('ERROR:'), nil, text)
  sketch.setup({ cmd = { '/nowhere/sketch-ide' }, colour = 'red' })
  vim.cmd('checkhealth sketch')
  text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  equal(text:find('/nowhere/sketch-ide was not found', 1, true) ~= nil, true, text)
  equal(text:find('there is no option "colour"', 1, true) ~= nil, true, text)
end)

it('nothing deprecated is called', function()
  equal(deprecated(), {})
end)
