-- The plugin against the real backend and a real engine. The working directory is a git repository of the test's.
local sketch = require('sketch')
local page = table.concat(vim.fn.readfile('index.html'), '\n')
local server

sketch.setup({ settings = { baseImage = vim.env.SKETCH_IDE_BASE_IMAGE } })

local function get(url)
  local text = vim.fn.system({ 'curl', '--silent', '--show-error', '--fail', '--max-time', '10', url })
  return vim.v.shell_error == 0 and vim.trim(text) or nil
end

local function forwarded()
  for _, port in ipairs(sketch.ports()) do
    if port.number == 3000 and port.status == 'forwarded' then
      return port
    end
  end
end

it('start makes a session; its progress is in the status line', function()
  local progress
  vim.api.nvim_create_autocmd('User', {
    pattern = 'SketchProgress',
    callback = function()
      progress = progress or (sketch.statusline() ~= '' and sketch.statusline()) or nil
    end,
  })
  vim.cmd('Sketch start')
  local told = eventually('the session', function()
    for _, text in ipairs(messages()) do
      if text:find('is ready', 1, true) then
        return text
      end
    end
  end, 120000)
  equal(told, ('sketch: %s is ready'):format(sketch.session().name))
  equal(sketch.session().folder, vim.fn.resolve(vim.fn.getcwd()))
  equal(type(progress), 'string', 'progress')
end)

it('a server inside is told in one line and answers on localhost', function()
  local argv = { vim.env.SKETCH_IDE_SERVER, 'ssh', sketch.session().name, '--', 'python3', '-m', 'http.server', '3000' }
  server = vim.fn.jobstart(argv)
  local told = message('Port 3000').text
  equal(told:find('^sketch: Port 3000 .*forwarded') ~= nil, true, told)
  equal(#told <= 68, true, told)
  local port = eventually('the port', forwarded)
  equal(get(port.url), page)
  equal(sketch.statusline(), 'sketch: 1 port')
end)

it('ports lists it', function()
  local offered = choose('3000', 'Copy URL')
  vim.cmd('Sketch ports')
  equal(offered[1][1]:find('3000', 1, true), 1)
  equal(vim.fn.getreg('"'), forwarded().url)
end)

it('open opens it in the browser', function()
  local opened = vim.env.SKETCH_TEST_DIR .. '/opened'
  vim.cmd('Sketch open')
  local url = eventually('the browser', function()
    return vim.fn.filereadable(opened) == 1 and vim.fn.readfile(opened)[1]
  end)
  equal(get(url), page)
end)

it('ssh opens a shell inside, in the repository', function()
  vim.cmd('Sketch ssh')
  eventually('the terminal', function()
    return vim.bo.buftype == 'terminal'
  end)
  local buffer = vim.api.nvim_get_current_buf()
  local function shows(text)
    return function()
      return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n'):find(text, 1, true)
    end
  end
  eventually('the prompt', shows('/workspaces/'))
  -- Without an exit behind it: Neovim 0.7 may lose what a terminal says just before its end.
  vim.fn.chansend(vim.bo[buffer].channel, 'echo "inside: $(git rev-parse --show-toplevel)"\n')
  eventually('the answer', shows('inside: /workspaces/'))
  vim.fn.chansend(vim.bo[buffer].channel, 'exit\n')
  eventually('the end', shows('[Process exited 0]'))
  vim.cmd('stopinsert')
  vim.cmd('bwipeout! ' .. buffer)
end)

it('status names the session', function()
  vim.cmd('Sketch status')
  eventually('the report', function()
    local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    return text:find(sketch.session().name, 1, true) and text:find('3000', 1, true)
  end)
  vim.cmd('bwipeout!')
end)

it('other branches that are made inside are completed, shown and merged', function()
  local script = 'git switch -qc try/two && echo 2 > two && git add two && git commit -qm two'
  vim.fn.system({ vim.env.SKETCH_IDE_SERVER, 'ssh', sketch.session().name, '--', script })
  equal(vim.v.shell_error, 0)
  local other = eventually('the branch', function()
    return vim.fn.getcompletion('Sketch merge squash ', 'cmdline')[1]
  end)
  equal(other, 'sketch/' .. sketch.session().name:gsub('^sketch%-', '') .. '--try-two')
  equal(vim.fn.getcompletion('Sketch diff sk', 'cmdline'), { other })
  vim.cmd('Sketch status')
  eventually('the report', function()
    return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n'):find(other .. '  (try/two inside)', 1, true)
  end)
  vim.cmd('bwipeout!')
  vim.cmd('Sketch diff ' .. other)
  eventually('the diff', function()
    return vim.fn.bufname() == 'sketch://diff' and vim.fn.search('^+2$') > 0
  end)
  vim.cmd('bwipeout!')
  equal(vim.fn.getcompletion('Sketch diff ' .. other .. ' ', 'cmdline'), { 'two' })
  vim.cmd(('Sketch diff %s two'):format(other))
  eventually('the file', function()
    return vim.fn.bufname():find(other .. '/two', 1, true) and vim.fn.getline(1) == '2'
  end)
  vim.cmd('tabclose')
  vim.cmd('Sketch! merge squash ' .. other)
  message(other .. ': main is at')
  equal(vim.fn.readfile('two'), { '2' })
end)

it('stop ends it: nothing listens, the container is gone', function()
  local url, name = forwarded().url, sketch.session().name
  vim.cmd('Sketch! stop')
  message(name .. ' is stopped')
  equal(get(url), nil)
  equal(sketch.statusline(), '')
  vim.fn.jobwait({ server }, 60000)
  local list = vim.fn.system({ vim.env.SKETCH_IDE_SERVER, 'ps', '--json' })
  equal(list:find(name, 1, true), nil, list)
end)

it('a folder that is no repository is refused in one line', function()
  vim.cmd('Sketch start ' .. vim.env.SKETCH_TEST_DIR)
  local told = message('repository')
  equal(told.level, vim.log.levels.ERROR)
end)

it('nothing deprecated is called', function()
  equal(deprecated(), {})
end)
