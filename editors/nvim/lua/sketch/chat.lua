-- The conversation in a buffer, and below it one to write the next message in.
local buffer = require('sketch.buffer')
local client = require('sketch.client')
local conversation = require('sketch.conversation')
local notify = require('sketch.notify')
local state = require('sketch.state')

local M = {}

local shown -- name of the session whose conversation the buffer shows
local blocks = {} -- of the buffer, in order: { id, height }
local open_tools = {} -- by message id: its output is shown

local marks = { pending = '…', running = '…', done = '✓', failed = '✗', cancelled = '✗' }

local function add(lines, text, indent)
  for _, line in ipairs(vim.split(text, '\n', { plain = true })) do
    table.insert(lines, (indent or '') .. line)
  end
end

local function tool_lines(message)
  local tool = message.tool
  local took = tool.durationMs and (' (%.1f s)'):format(tool.durationMs / 1000) or ''
  local title = vim.split(tool.title or '', '\n', { plain = true })[1]
  local lines = { ('%s %s: %s%s'):format(marks[tool.state] or '?', tool.name, title, took) }
  for _, image in ipairs(message.images or {}) do
    table.insert(lines, ('    [%s]'):format(image.name or image.mimeType))
  end
  if open_tools[message.id] then
    add(lines, tool.diff and tool.diff ~= '' and tool.diff or tool.output or '', '    ')
  end
  return lines
end

---A message as lines of Markdown.
---@param message sketch.Message
---@return string[]
local function render(message)
  local lines = { '' }
  if message.kind == 'tool' then
    return tool_lines(message)
  elseif message.kind == 'user' then
    vim.list_extend(lines, { '## You', '' })
    add(lines, message.text or '')
  elseif message.kind == 'assistant' then
    local text = vim.trim(message.text or '')
    add(lines, text == '' and message.thinking and '> …' or text)
  elseif message.kind == 'question' then
    add(lines, message.question.text, '**?** ')
    for number, option in ipairs(message.question.options or {}) do
      table.insert(lines, ('%d. %s'):format(number, option))
    end
    local answer = message.question.answer
    table.insert(lines, answer and answer ~= '' and '→ ' .. answer or message.question.answered and '→ (no answer)' or ':Sketch answer')
  else
    add(lines, message.text or '', '> ')
    if message.error then
      local said = message.error.message or ''
      if (message.text or ''):find(said, 1, true) then
        said = ''
      end
      add(lines, vim.trim(said .. ' ' .. (message.error.hint or '')), '> ')
    end
  end
  for _, image in ipairs(message.images or {}) do
    table.insert(lines, ('[%s]'):format(image.name or image.mimeType))
  end
  return lines
end

---Windows in which the end of the conversation is looked at go on doing so.
local function following(target)
  local last = vim.api.nvim_buf_line_count(target)
  return vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] >= last
  end, vim.fn.win_findbuf(target))
end

local function follow(target, windows)
  local last = vim.api.nvim_buf_line_count(target)
  for _, window in ipairs(windows) do
    vim.api.nvim_win_set_cursor(window, { last, 0 })
  end
end

local function redraw_all(target)
  local lines = {}
  blocks = {}
  for _, message in ipairs(conversation.messages(shown)) do
    local block = render(message)
    table.insert(blocks, { id = message.id, height = #block })
    vim.list_extend(lines, block)
  end
  buffer.replace(target, 0, -1, lines)
end

---Draws one message again where it stands; false when it has no place yet.
local function redraw(target, message)
  local first = 0
  for index, block in ipairs(blocks) do
    if block.id == message.id then
      local lines = render(message)
      -- The empty line of an empty buffer is none of a block.
      buffer.replace(target, first, first + block.height, lines)
      blocks[index].height = #lines
      return true
    end
    first = first + block.height
  end
  return false
end

local function append(target, message)
  local list = conversation.messages(shown)
  if #blocks == 0 or #blocks ~= #list - 1 or list[#list].id ~= message.id then
    return redraw_all(target)
  end
  local lines = render(message)
  table.insert(blocks, { id = message.id, height = #lines })
  buffer.replace(target, -1, -1, lines)
end

conversation.listen(function(session, message)
  local target = vim.fn.bufnr('^sketch://chat$')
  if target == -1 or session ~= shown then
    return
  end
  local windows = following(target)
  if not message then
    redraw_all(target)
  elseif not redraw(target, message) then
    append(target, message)
  end
  follow(target, windows)
end)

---The message under the cursor.
local function under_cursor()
  local line, first = vim.api.nvim_win_get_cursor(0)[1] - 1, 0
  for _, block in ipairs(blocks) do
    if line < first + block.height then
      return block.id
    end
    first = first + block.height
  end
end

local function toggle()
  local id = under_cursor()
  for _, message in ipairs(conversation.messages(shown)) do
    if message.id == id and message.tool then
      open_tools[id] = not open_tools[id] or nil
      redraw(vim.api.nvim_get_current_buf(), message)
    end
  end
end

---Sends what stands in the buffer below the conversation.
local function send()
  local input = vim.api.nvim_get_current_buf()
  local text = vim.trim(table.concat(vim.api.nvim_buf_get_lines(input, 0, -1, false), '\n'))
  if text == '' then
    return notify.show('there is nothing to send')
  end
  client.execute('sketch.prompt', { session = shown, text = text }, function()
    if vim.api.nvim_buf_is_valid(input) then
      vim.api.nvim_buf_set_lines(input, 0, -1, false, {})
    end
  end)
end

local function map(target, mode, keys, action, description)
  vim.keymap.set(mode, keys, action, { buffer = target, silent = true, desc = description })
end

---Where the next message is written.
local function write()
  local target = buffer.named('prompt')
  vim.bo[target].modifiable = true
  vim.bo[target].filetype = 'markdown'
  buffer.show(target, 'belowright 5split')
  map(target, 'n', '<CR>', send, 'send to the agent')
  map(target, { 'n', 'i' }, '<C-s>', send, 'send to the agent')
  vim.cmd('startinsert!')
end

function M.cancel()
  client.execute('sketch.cancel', { session = shown or state.session().name })
end

---Shows the conversation of a session.
---@param session string
function M.open(session)
  shown = session
  local target = buffer.named('chat')
  vim.bo[target].filetype = 'markdown'
  local window = buffer.show(target, 'botright vsplit')
  vim.wo[window].number = false
  vim.wo[window].relativenumber = false
  vim.wo[window].wrap = true
  vim.wo[window].linebreak = true
  for _, keys in ipairs({ 'i', 'a', 'o' }) do
    map(target, 'n', keys, write, 'write to the agent')
  end
  map(target, 'n', '<Tab>', toggle, 'show or hide what a tool said')
  map(target, 'n', '<C-c>', M.cancel, 'end what the agent does')
  map(target, 'n', 'q', '<Cmd>close<CR>', 'close')
  redraw_all(target)
  follow(target, { window })
  client.execute('sketch.conversation', { session = session }, conversation.set)
end

return M
