-- What the backend sends, for vim.lsp. None of it asks the user anything: Neovim's own handlers open a prompt for
-- window/showMessageRequest, which takes what the user is typing.
local conversation = require('sketch.conversation')
local notify = require('sketch.notify')
local state = require('sketch.state')

local M = {}

local function changed(event)
  vim.schedule(function()
    vim.cmd('redrawstatus')
    vim.api.nvim_exec_autocmds('User', { pattern = event, modeline = false })
  end)
end

local levels = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO }

M['window/showMessage'] = function(_, params)
  notify.show(params.message, levels[params.type] or vim.log.levels.INFO)
end

M['window/showMessageRequest'] = function(_, params)
  notify.show(params.message, levels[params.type] or vim.log.levels.INFO)
  return vim.NIL
end

M['window/logMessage'] = function(_, params)
  notify.record(params.message)
end

M['window/showDocument'] = function(err, params, context, config)
  if params.external then
    return { success = require('sketch.browser').open(params.uri) }
  end
  local stock = vim.lsp.handlers['window/showDocument'] -- 0.8 and later
  if stock then
    return stock(err, params, context, config)
  end
  return { success = pcall(vim.cmd, 'split ' .. vim.fn.fnameescape(vim.uri_to_fname(params.uri))) }
end

M['$/progress'] = function(err, params, context, config)
  state.set_progress(params.token, params.value)
  changed('SketchProgress')
  local stock = vim.lsp.handlers['$/progress'] -- LspProgress and vim.lsp.status(), from 0.10
  if stock then
    return stock(err, params, context, config)
  end
end

M['$/sketch/session'] = function(_, session)
  state.set_session(session)
  changed('SketchSession')
end

M['$/sketch/ports'] = function(_, params)
  state.set_ports(params.session, params.ports)
  changed('SketchPorts')
end

M['$/sketch/branch'] = function(_, branch)
  state.set_branch(branch)
  changed('SketchBranch')
end

M['$/sketch/agent'] = function(_, status)
  conversation.set_status(status)
  changed('SketchAgent')
end

M['$/sketch/message'] = function(_, params)
  -- Drawing is done where buffers may be changed.
  vim.schedule(function()
    conversation.set_message(params.session, params.message)
  end)
end

return M
