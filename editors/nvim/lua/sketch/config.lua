-- The configuration: vim.g.sketch, or what setup() was given, over the defaults.
local M = {}

---@class sketch.Config
---@field cmd? string[] the backend's command line; default: $SKETCH_IDE_SERVER, else sketch-ide on $PATH, with `serve --stdio`
---@field notifications? 'message'|'none' whether a forwarded port is announced
---@field auto_start? boolean start a session for the working directory when Neovim starts
---@field settings? table settings of the backend: baseImage, forwardPorts, portsAttributes, otherPortsAttributes

local defaults = { notifications = 'message', auto_start = false, settings = {} }
local types = { cmd = 'table', notifications = 'string', auto_start = 'boolean', settings = 'table' }
local given

---Takes the configuration; it takes the place of vim.g.sketch.
---@param config? sketch.Config
function M.set(config)
  given = config
end

---@return sketch.Config
function M.get()
  return vim.tbl_extend('force', defaults, given or vim.g.sketch or {})
end

---What is wrong with the configuration, one sentence each.
---@return string[]
function M.problems()
  local problems = {}
  for key, value in pairs(M.get()) do
    if not types[key] then
      table.insert(problems, ('there is no option %q'):format(key))
    elseif type(value) ~= types[key] then
      table.insert(problems, ('%s is a %s, it should be a %s'):format(key, type(value), types[key]))
    end
  end
  local style = M.get().notifications
  if style ~= 'message' and style ~= 'none' then
    table.insert(problems, ('notifications is %s, it should be "message" or "none"'):format(vim.inspect(style)))
  end
  table.sort(problems)
  return problems
end

---The backend's executable and the whole command line.
---@return string executable
---@return string[] command
function M.command()
  local cmd = M.get().cmd
  if type(cmd) == 'table' and cmd[1] then
    return cmd[1], cmd
  end
  local executable = vim.env.SKETCH_IDE_SERVER
  if not executable or executable == '' then
    executable = 'sketch-ide'
  end
  return executable, { executable, 'serve', '--stdio' }
end

---What the backend is told at its start.
---@return table
function M.settings()
  local config = M.get()
  return vim.tbl_extend('force', config.settings, { notifications = config.notifications })
end

return M
