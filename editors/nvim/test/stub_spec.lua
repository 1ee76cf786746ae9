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
  equal(vim.fn.getcompletion('Sketch ', 'cmdline'), { 'log', 'open', 'ports', 'ssh', 'start', 'status', 'stop' })
  equal(vim.fn.getcompletion('Sketch st', 'cmdline'), { 'start', 'status', 'stop' })
end)

it('commands without a session say so', function()
  for _, command in ipairs({ 'stop', 'ports', 'open', 'ssh' }) do
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
  equal(initialize.capabilities.experimental, { sketch = { version = 1 } })
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
  message('unknown command sketch.logs') -- the stand-in has none
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
