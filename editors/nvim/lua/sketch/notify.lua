-- Messages that never wait for a key. Neovim's own vim.notify() echoes: what is longer than the last line ends in a "Press
-- ENTER" prompt, which takes the next key that the user types. A vim.notify() of a plugin gets the whole text.
local M = {}

---The lines of all messages of this Neovim, for `:Sketch log`.
M.history = {}
local history_limit = 500

---@param text string
function M.record(text)
  vim.list_extend(M.history, vim.split(text, '\n'))
  while #M.history > history_limit do
    table.remove(M.history, 1)
  end
end

---Neovim's own comes from "vim/_editor.lua", or from bytecode without a name (0.12); that of a plugin has a file.
local function is_builtin()
  local source = debug.getinfo(vim.notify, 'S').source
  return not vim.startswith(source, '@') or vim.startswith(source, '@vim/')
end

---@param text string
---@return string one line that fits
local function fitted(text)
  local line = text:gsub('%s+', ' ')
  if not is_builtin() or vim.fn.strdisplaywidth(line) <= vim.v.echospace then
    return line
  end
  while line ~= '' and vim.fn.strdisplaywidth(line) > vim.v.echospace - 1 do
    line = vim.fn.strcharpart(line, 0, vim.fn.strchars(line) - 1)
  end
  return line .. '…'
end

---Shows a message as soon as that disturbs nothing.
---@param text string
---@param level? integer vim.log.levels
function M.show(text, level)
  text = 'sketch: ' .. text
  M.record(text)
  local function show()
    vim.notify(fitted(text), level or vim.log.levels.INFO)
  end
  vim.schedule(function()
    -- An echo would overwrite the command line that is being typed.
    if vim.api.nvim_get_mode().mode:sub(1, 1) == 'c' then
      vim.api.nvim_create_autocmd('CmdlineLeave', { once = true, callback = vim.schedule_wrap(show) })
    else
      show()
    end
  end)
end

---Shows a backend's error: what failed, and the hint.
---@param err table|string
function M.failed(err)
  local data = type(err) == 'table' and type(err.data) == 'table' and err.data or {}
  if data.kind == 'cancelled' then
    return
  end
  local message = type(err) == 'table' and err.message or tostring(err)
  local hint = type(data.hint) == 'string' and data.hint ~= '' and '. ' .. data.hint or ''
  M.show(message .. hint, vim.log.levels.ERROR)
end

return M
