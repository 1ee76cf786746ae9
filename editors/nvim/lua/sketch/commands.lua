-- :Sketch and its subcommands.
local buffer = require('sketch.buffer')
local client = require('sketch.client')
local conversation = require('sketch.conversation')
local notify = require('sketch.notify')
local state = require('sketch.state')

local M = {}

---The session, or a message that there is none.
---@return sketch.Session?
local function session()
  local current = state.session()
  if not current then
    notify.show('no session is running here. :Sketch start starts one')
  end
  return current
end

local function start(args)
  local folder = vim.fn.fnamemodify(vim.fn.expand(args[1] or vim.fn.getcwd()), ':p')
  client.execute('sketch.start', { folder = folder }, function(result)
    state.set_session(result)
    notify.show(('%s is ready'):format(result.name))
  end)
end

local function stop(_, bang)
  local current = session()
  if not current then
    return
  end
  local function really()
    client.execute('sketch.stop', { session = current.name }, function()
      state.forget(current.name)
      vim.cmd('redrawstatus')
      notify.show(('%s is stopped'):format(current.name))
    end)
  end
  if bang then
    return really()
  end
  local options = { prompt = ('Stop %s and remove its container?'):format(current.name) }
  vim.ui.select({ 'Stop', 'Keep it' }, options, function(choice)
    if choice == 'Stop' then
      really()
    end
  end)
end

local function open(number)
  client.execute('sketch.openPort', { session = state.session().name, port = number })
end

local function copy(text)
  vim.fn.setreg('"', text)
  if vim.fn.has('clipboard') == 1 then
    vim.fn.setreg('+', text)
  end
  notify.show('copied ' .. text)
end

local choices = {
  forwarded = { 'Open in Browser', 'Copy URL', 'Stop Forwarding' },
  other = { 'Forward' },
}

local function act(port, choice)
  local argument = { session = state.session().name, port = port.number }
  if choice == 'Open in Browser' then
    open(port.number)
  elseif choice == 'Copy URL' then
    copy(port.url)
  elseif choice == 'Stop Forwarding' then
    client.execute('sketch.unforward', argument)
  elseif choice == 'Forward' then
    client.execute('sketch.forward', argument)
  end
end

local function ports()
  if not session() then
    return
  end
  local list = state.ports()
  if #list == 0 then
    return notify.show('no ports are open')
  end
  local options = { prompt = 'Sketch: Ports', kind = 'sketch_port', format_item = state.describe }
  vim.ui.select(list, options, function(port)
    if not port then
      return
    end
    local actions = choices[port.status] or choices.other
    vim.ui.select(actions, { prompt = ('Port %d'):format(port.number) }, function(choice)
      if choice then
        act(port, choice)
      end
    end)
  end)
end

local function open_port(args)
  if not session() then
    return
  end
  if args[1] then
    local number = tonumber(args[1])
    if not number then
      return notify.show(('%s is not a port'):format(args[1]), vim.log.levels.ERROR)
    end
    return open(number)
  end
  local list = state.ports('forwarded')
  if #list == 0 then
    notify.show('no port is forwarded')
  elseif #list == 1 then
    open(list[1].number)
  else
    vim.ui.select(list, { prompt = 'Open', format_item = state.describe }, function(port)
      if port then
        open(port.number)
      end
    end)
  end
end

local function ssh(_, bang)
  local current = session()
  if not current then
    return
  end
  client.execute('sketch.ssh', { session = current.name }, function(result)
    if bang then
      return copy(result.command)
    end
    vim.cmd('botright new')
    if vim.fn.has('nvim-0.11') == 1 then
      vim.fn.jobstart(result.command, { term = true })
    else
      vim.fn.termopen(result.command)
    end
    vim.cmd('startinsert')
  end)
end

local function status()
  client.execute('sketch.status', nil, function(result)
    local engine = result.engine and result.engine ~= '' and result.engine or 'no engine'
    local lines = { ('sketch-ide %s, %s'):format(result.version, engine), '' }
    for _, s in ipairs(result.sessions or {}) do
      table.insert(lines, ('%s  %s  %s'):format(s.name, s.state, s.folder))
    end
    for _, line in ipairs(state.describe_branches()) do
      table.insert(lines, '  ' .. line)
    end
    for _, port in ipairs(state.ports()) do
      table.insert(lines, '  ' .. state.describe(port))
    end
    if #(result.sessions or {}) == 0 then
      table.insert(lines, 'no sessions')
    end
    buffer.scratch('status', lines)
  end)
end

local function log()
  local lines = vim.deepcopy(notify.history)
  local current = state.session()
  if not current then
    return buffer.scratch('log', #lines > 0 and lines or { 'nothing was logged' })
  end
  client.execute('sketch.logs', { session = current.name }, function(result)
    table.insert(lines, '')
    table.insert(lines, ('--- %s'):format(current.name))
    vim.list_extend(lines, result.lines or {})
    buffer.scratch('log', lines)
  end)
end

---The lines of a range as the agent gets them: by their place in the repository, and their text, saved or not.
local function selection(command, current)
  if command.range == 0 then
    return nil
  end
  local root = vim.fn.resolve(current.folder) .. '/'
  local name = vim.fn.resolve(vim.fn.expand('%:p'))
  return {
    {
      path = vim.startswith(name, root) and name:sub(#root + 1) or vim.fn.fnamemodify(name, ':t'),
      startLine = command.line1,
      endLine = command.line2,
      text = table.concat(vim.api.nvim_buf_get_lines(0, command.line1 - 1, command.line2, false), '\n'),
    },
  }
end

local function prompt(args, _, command)
  local current = session()
  if not current then
    return
  end
  local context = selection(command, current)
  local function send(text)
    if text and vim.trim(text) ~= '' then
      client.execute('sketch.prompt', { session = current.name, text = text, context = context }, function(result)
        notify.show(result.steered and 'the agent will see it at its next step' or 'the agent is at work. :Sketch chat shows how')
      end)
    end
  end
  if #args > 0 then
    return send(table.concat(args, ' '))
  end
  vim.ui.input({ prompt = 'Sketch: ' }, send)
end

local function chat()
  local current = session()
  if current then
    require('sketch.chat').open(current.name)
  end
end

local function cancel()
  local current = session()
  if current then
    client.execute('sketch.cancel', { session = current.name }, function()
      notify.show('the agent was stopped')
    end)
  end
end

---Answers the question that the agent waits with. It is never asked without this command: a choice takes the keys that are being typed.
local function answer(args)
  local current = session()
  if not current then
    return
  end
  local message = conversation.question(current.name)
  if not message then
    return notify.show('the agent asks nothing')
  end
  local function reply(text)
    if text and text ~= '' then
      client.execute('sketch.answer', { session = current.name, id = message.id, answer = text })
    end
  end
  if #args > 0 then
    return reply(table.concat(args, ' '))
  end
  local options = message.question.options or {}
  if #options == 0 then
    return vim.ui.input({ prompt = message.question.text .. ' ' }, reply)
  end
  vim.ui.select(options, { prompt = message.question.text }, reply)
end

local function diff(args, bang)
  local current = session()
  if not current then
    return
  end
  local branch
  if vim.tbl_contains(state.other_branches(), args[1]) then
    branch = table.remove(args, 1)
    bang = false -- what is not committed is on none of them
  end
  if args[1] then
    return require('sketch.review').file(current.name, args[1], bang, branch)
  end
  require('sketch.review').all(current.name, bang, branch)
end

local function merge(args, bang)
  local current = session()
  if not current then
    return
  end
  local review = require('sketch.review')
  local how = args[1] or 'merge'
  if not vim.tbl_contains(review.ways, how) then
    return notify.show(('%s is no way to merge: %s'):format(how, table.concat(review.ways, ', ')), vim.log.levels.ERROR)
  end
  review.merge(current.name, how, bang, args[2])
end

local subcommands = {
  answer = answer,
  cancel = cancel,
  chat = chat,
  diff = diff,
  merge = merge,
  prompt = prompt,
  start = start,
  stop = stop,
  ports = ports,
  open = open_port,
  ssh = ssh,
  status = status,
  log = log,
}

---@param command table what nvim_create_user_command() hands over
function M.run(command)
  local args = vim.list_extend({}, command.fargs)
  local name = table.remove(args, 1)
  local subcommand = subcommands[name]
  if not subcommand then
    return notify.show(('there is no :Sketch %s'):format(name), vim.log.levels.ERROR)
  end
  subcommand(args, command.bang, command)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local name, rest = line:match('Sketch!?%s+(%S+)%s+(.*)$')
  local later = rest and rest:find('%S%s') -- than the first argument
  local candidates = {}
  if not name then
    candidates = vim.tbl_keys(subcommands)
  elseif name == 'start' then
    return vim.fn.getcompletion(lead, 'dir')
  elseif name == 'open' then
    candidates = vim.tbl_map(function(port)
      return tostring(port.number)
    end, state.ports('forwarded'))
  elseif name == 'diff' then
    candidates = vim.list_extend(later and {} or state.other_branches(), require('sketch.review').paths())
  elseif name == 'merge' then
    candidates = later and state.other_branches() or vim.list_extend({}, require('sketch.review').ways)
  end
  table.sort(candidates)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
