-- :Sketch and its subcommands.
local client = require('sketch.client')
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

---Shows text in a scratch buffer of its own, which is used again.
---@param name string
---@param lines string[]
local function scratch(name, lines)
  local buffer = vim.fn.bufadd('sketch://' .. name)
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].swapfile = false
  vim.fn.bufload(buffer)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  local window = vim.fn.bufwinid(buffer)
  if window == -1 then
    vim.cmd('botright split')
    window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, buffer)
  end
  vim.api.nvim_win_set_cursor(window, { #lines, 0 })
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
    for _, port in ipairs(state.ports()) do
      table.insert(lines, '  ' .. state.describe(port))
    end
    if #(result.sessions or {}) == 0 then
      table.insert(lines, 'no sessions')
    end
    scratch('status', lines)
  end)
end

local function log()
  local lines = vim.deepcopy(notify.history)
  local current = state.session()
  if not current then
    return scratch('log', #lines > 0 and lines or { 'nothing was logged' })
  end
  client.execute('sketch.logs', { session = current.name }, function(result)
    table.insert(lines, '')
    table.insert(lines, ('--- %s'):format(current.name))
    vim.list_extend(lines, result.lines or {})
    scratch('log', lines)
  end)
end

local subcommands = {
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
  subcommand(args, command.bang)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local name = line:match('Sketch!?%s+(%S+)%s')
  local candidates = {}
  if not name then
    candidates = vim.tbl_keys(subcommands)
  elseif name == 'start' then
    return vim.fn.getcompletion(lead, 'dir')
  elseif name == 'open' then
    candidates = vim.tbl_map(function(port)
      return tostring(port.number)
    end, state.ports('forwarded'))
  end
  table.sort(candidates)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
