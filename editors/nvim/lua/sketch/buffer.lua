-- Buffers of ours: each has a name, no file, and is used again.
local M = {}

---The buffer of a name, made where it is missing.
---@param name string
---@return integer buffer
function M.named(name)
  local buffer = vim.fn.bufadd('sketch://' .. name)
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].buflisted = false
  vim.fn.bufload(buffer)
  return buffer
end

---Replaces lines of a buffer that its user cannot change.
---@param buffer integer
---@param first integer from 0
---@param last integer exclusive, -1 for the end
---@param lines string[]
function M.replace(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  -- Names come from the container too, and one with a line break would be refused as a whole.
  lines = vim.tbl_map(function(line)
    return (line:gsub('[\n\r]', ' '))
  end, lines)
  vim.api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
end

---Shows a buffer in the window that it has, or in a new one.
---@param buffer integer
---@param command? string that makes the window; default: botright split
---@return integer window
function M.show(buffer, command)
  local window = vim.fn.bufwinid(buffer)
  if window == -1 then
    vim.cmd(command or 'botright split')
    window = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(window, buffer)
  else
    vim.api.nvim_set_current_win(window)
  end
  return window
end

---Shows text, its end first.
---@param name string
---@param lines string[]
---@param filetype? string
---@return integer buffer
function M.scratch(name, lines, filetype)
  local buffer = M.named(name)
  M.replace(buffer, 0, -1, lines)
  local window = M.show(buffer)
  if filetype then
    vim.bo[buffer].filetype = filetype
    vim.api.nvim_win_set_cursor(window, { 1, 0 })
  else
    vim.api.nvim_win_set_cursor(window, { #lines, 0 })
  end
  return buffer
end

return M
