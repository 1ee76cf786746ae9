-- The backend's process and the language client that speaks with it. It is bound to no buffer.
local config = require('sketch.config')
local notify = require('sketch.notify')
local state = require('sketch.state')

local M = {}

local has_011 = vim.fn.has('nvim-0.11') == 1
local client_id
local initialized = false
local waiting = {} -- what is called once it is initialized

local function client()
  return client_id and vim.lsp.get_client_by_id(client_id)
end

---@return boolean
function M.running()
  return client() ~= nil
end

local function capabilities()
  local wanted = { window = { showDocument = { support = true }, workDoneProgress = true } }
  -- The settings are made by the user's own Lua: nothing merges a project's files into them.
  wanted.experimental = { sketch = { version = 1, userSettings = true } }
  return vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), wanted)
end

---How the process ended, where vim.lsp is not told; see quietly_started().
local exit_status

---From 0.10 on, vim.lsp tells of a process that failed in a message that is longer than a line, which waits for a key. It is
---told here, so vim.lsp hears that all is well.
local function quietly_started(cmd)
  if vim.fn.has('nvim-0.10') == 0 then
    return cmd
  end
  return function(dispatchers)
    local on_exit = dispatchers.on_exit
    local ours = vim.tbl_extend('force', dispatchers, {
      on_exit = function(code, signal)
        exit_status = { code = code, signal = signal }
        on_exit(0, 0)
      end,
    })
    return vim.lsp.rpc.start(cmd, ours)
  end
end

local function ended(code, signal)
  if exit_status then
    code, signal, exit_status = exit_status.code, exit_status.signal, nil
  end
  local was_asked = client_id == nil
  client_id, initialized, waiting = nil, false, {}
  state.reset()
  vim.schedule(function()
    vim.cmd('redrawstatus')
    if not was_asked and (code ~= 0 or signal ~= 0) then
      local how = signal ~= 0 and ('signal %d'):format(signal) or ('exit %d'):format(code)
      notify.show(('the backend ended (%s). :Sketch start finds the session again'):format(how), vim.log.levels.ERROR)
    end
  end)
end

local function start()
  local executable, cmd = config.command()
  if vim.fn.executable(executable) ~= 1 then
    notify.show(('%s was not found. :checkhealth sketch says what to do'):format(executable), vim.log.levels.ERROR)
    return false
  end
  local folder = vim.fn.getcwd()
  local options = {
    name = 'sketch',
    cmd = quietly_started(cmd),
    handlers = require('sketch.handlers'),
    capabilities = capabilities(),
    root_dir = folder,
    workspace_folders = { { uri = vim.uri_from_fname(folder), name = vim.fn.fnamemodify(folder, ':t') } },
    init_options = config.settings(),
    on_init = function()
      initialized = true
      for _, call in ipairs(waiting) do
        vim.schedule(call)
      end
      waiting = {}
    end,
    on_exit = ended,
  }
  if has_011 then
    client_id = vim.lsp.start(options, { attach = false })
  else
    client_id = vim.lsp.start_client(options)
  end
  return client_id ~= nil
end

local function send(method, params, callback)
  local c = client()
  if not c then
    return
  end
  local function answered(err, result)
    if err then
      notify.failed(err)
    elseif callback then
      callback(result)
    end
  end
  if has_011 then
    c:request(method, params, answered)
  else
    c.request(method, params, answered, 0)
  end
end

---Runs a command of the backend, which is started where needed. Errors are shown; `callback` gets the result.
---@param command string
---@param argument? table
---@param callback? fun(result: any)
function M.execute(command, argument, callback)
  if not client() and not start() then
    return
  end
  local arguments = {}
  if argument then
    arguments[1] = next(argument) and argument or vim.empty_dict() -- a plain {} would be sent as []
  end
  local function call()
    send('workspace/executeCommand', { command = command, arguments = arguments }, callback)
  end
  if initialized then
    call()
  else
    table.insert(waiting, call)
  end
end

---Ends the backend; sessions go on.
function M.stop()
  local c = client()
  client_id = nil
  if c and has_011 then
    c:stop()
  elseif c then
    c.stop()
  end
end

return M
