-- What a configuration or another plugin uses. Setting vim.g.sketch does the same as setup().
local M = {}

---@param config? sketch.Config
function M.setup(config)
  require('sketch.config').set(config)
end

---For a status line: "sketch: 2 ports", "sketch: reconnecting", or nothing.
---@return string
function M.statusline()
  local state = package.loaded['sketch.state']
  return state and state.statusline() or ''
end

---The open ports of the session, by number.
---@return sketch.Port[]
function M.ports()
  return require('sketch.state').ports()
end

---The session of this Neovim.
---@return sketch.Session?
function M.session()
  return require('sketch.state').session()
end

---The branch that the session's commits come back as, once there are any.
---@return table?
function M.branch()
  return require('sketch.state').branch()
end

return M
