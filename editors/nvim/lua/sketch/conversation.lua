-- What was said with the agent, and how it stands. Each message comes again and again while it is streamed, each time whole.
local M = {}

---@class sketch.Message
---@field id string
---@field seq integer
---@field kind 'user'|'assistant'|'tool'|'question'|'notice'
---@field done boolean
---@field text? string
---@field thinking? string
---@field tool? table
---@field question? table
---@field error? table

local messages, status = {}, {} -- by session
local listeners = {}

function M.reset()
  messages, status = {}, {}
end

---Calls back after each change of a session's conversation: with the message, or with nil when much has changed.
---@param callback fun(session: string, message: sketch.Message?)
function M.listen(callback)
  table.insert(listeners, callback)
end

local function changed(session, message)
  for _, callback in ipairs(listeners) do
    callback(session, message)
  end
end

---@param session string
---@param message sketch.Message
function M.set_message(session, message)
  local list = messages[session] or {}
  messages[session] = list
  for index = #list, 1, -1 do
    if list[index].id == message.id then
      list[index] = message
      return changed(session, message)
    elseif list[index].seq < message.seq then
      table.insert(list, index + 1, message)
      return changed(session, message)
    end
  end
  table.insert(list, 1, message)
  changed(session, message)
end

---Takes the answer to sketch.conversation.
---@param result table
function M.set(result)
  messages[result.session] = result.messages or {}
  status[result.session] = result.status
  changed(result.session, nil)
end

function M.set_status(value)
  status[value.session] = value
end

---@param session string
---@return sketch.Message[]
function M.messages(session)
  return messages[session] or {}
end

---@param session string
---@return table status an AgentStatus, or an empty table
function M.status(session)
  return status[session] or {}
end

---The newest question that waits for an answer.
---@param session string
---@return sketch.Message?
function M.question(session)
  local list = M.messages(session)
  for index = #list, 1, -1 do
    local question = list[index].question
    if question and not question.answered then
      return list[index]
    end
  end
end

local words = {
  thinking = 'thinking',
  tools = 'working',
  asking = 'asks',
  retrying = 'retrying',
  compacting = 'compacting',
  cancelling = 'cancelling',
}

---What the agent is doing, in a word; nil when it is doing nothing.
---@param session string
---@return string?
function M.activity(session)
  return words[M.status(session).state]
end

return M
