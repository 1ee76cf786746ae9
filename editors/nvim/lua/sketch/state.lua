-- What the backend told: sessions, ports, progress. It always tells full state, which replaces what was known.
local M = {}

---@class sketch.Port
---@field number integer
---@field hostPort? integer
---@field url? string
---@field status 'forwarded'|'listed'|'stopped'|'failed'|'closed'
---@field reason? string
---@field label? string
---@field process? string

---@class sketch.Session
---@field name string
---@field folder string
---@field state 'starting'|'connected'|'reconnecting'|'lost'|'gone'|'stopped'
---@field created? string

local conversation = require('sketch.conversation')

local sessions, ports, progress, branches = {}, {}, {}, {}

function M.reset()
  sessions, ports, progress, branches = {}, {}, {}, {}
  conversation.reset()
end

---@param session sketch.Session
function M.set_session(session)
  -- Without an error it was ended on request; with one it stopped by itself, and can be resumed.
  local stopped = session.state == 'stopped'
  local over = stopped and not session.error
  sessions[session.name] = not over and session or nil
  if stopped or session.state == 'gone' then
    ports[session.name] = nil
  end
end

---Forgets a session that was ended on request.
---@param name string
function M.forget(name)
  sessions[name], ports[name] = nil, nil
end

---@param session string
---@param list sketch.Port[]
function M.set_ports(session, list)
  ports[session] = list
end

---@param branch table a Branch
function M.set_branch(branch)
  branches[branch.session] = branch
end

local function told_branch()
  local session = M.session()
  return session and branches[session.name] or {}
end

---The branch that the session's commits come back as, once there are any.
---@return table?
function M.branch()
  local branch = told_branch()
  return branch.exists and branch or nil
end

---The branches that were made inside beside it and are here too, by their names here.
---@return string[]
function M.other_branches()
  local names = {}
  for _, other in ipairs(told_branch().others or {}) do
    table.insert(names, other.name)
  end
  return names
end

---What has become of the session's commits, a line each.
---@return string[]
function M.describe_branches()
  local branch, lines = told_branch(), {}
  if branch.exists then
    local commits = branch.ahead == 1 and '1 commit' or ('%d commits'):format(branch.ahead)
    table.insert(lines, ('%s  %s  %s'):format(branch.name, commits, branch.subject or ''))
  end
  for _, other in ipairs(branch.others or {}) do
    if other.name then
      table.insert(lines, ('%s  (%s inside)'):format(other.name, other.inside))
    end
    if other.error then
      table.insert(lines, ('%s inside: %s'):format(other.inside, other.error.message))
    end
  end
  if branch.othersLeft then
    table.insert(lines, 'more branches are inside, which are not brought out')
  end
  if branch.detached then
    table.insert(lines, ('%s inside is on no branch, and is not brought out'):format(branch.detached:sub(1, 12)))
  end
  if branch.error then
    table.insert(lines, branch.error.message)
  end
  return lines
end

---@param token string|integer
---@param value table a WorkDoneProgress value
function M.set_progress(token, value)
  if value.kind == 'end' then
    progress[token] = nil
    return
  end
  local last = progress[token] or {}
  progress[token] = {
    title = value.title or last.title,
    message = value.message or last.message,
    percentage = value.percentage or last.percentage,
  }
end

---The session that commands mean: the newest one that has a container, else the newest.
---@return sketch.Session?
function M.session()
  local best
  for _, session in pairs(sessions) do
    local alive = session.state ~= 'gone'
    local best_alive = best and best.state ~= 'gone'
    local newer = best and (session.created or '') > (best.created or '')
    if not best or (alive and not best_alive) or (alive == best_alive and newer) then
      best = session
    end
  end
  return best
end

---The session's open ports, or those with one status, by number.
---@param status? string
---@return sketch.Port[]
function M.ports(status)
  local session = M.session()
  local list = vim.tbl_filter(function(port)
    return port.status ~= 'closed' and (status == nil or port.status == status)
  end, session and ports[session.name] or {})
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  return list
end

---"3000", "3000 → 3001 (3000 is in use)", with its name and where it is.
---@param port sketch.Port
---@return string
function M.describe(port)
  local parts = { tostring(port.number) }
  if port.status == 'forwarded' then
    if port.hostPort and port.hostPort ~= port.number then
      parts[1] = ('%d → %d'):format(port.number, port.hostPort)
    end
    table.insert(parts, port.url)
  else
    table.insert(parts, port.status)
  end
  if port.label and port.label ~= '' then
    table.insert(parts, port.label)
  end
  if port.process and port.process ~= '' then
    table.insert(parts, port.process)
  end
  if port.reason and port.reason ~= '' then
    table.insert(parts, '(' .. port.reason .. ')')
  end
  return table.concat(parts, '  ')
end

---For a status line: empty when there is nothing to say. Percent signs are doubled, as 'statusline' wants it.
---@return string
function M.statusline()
  for _, task in pairs(progress) do
    local percent = task.percentage and (' %d%%%%'):format(task.percentage) or ''
    return ('sketch: %s%s'):format((task.message or task.title or 'busy'):gsub('%%', '%%%%'), percent)
  end
  local session = M.session()
  if not session then
    return ''
  end
  if session.state ~= 'connected' then
    return 'sketch: ' .. session.state
  end
  local count = #M.ports('forwarded')
  local parts = { conversation.activity(session.name) }
  if count > 0 then
    table.insert(parts, ('%d port%s'):format(count, count == 1 and '' or 's'))
  end
  return #parts == 0 and 'sketch' or 'sketch: ' .. table.concat(parts, ', ')
end

return M
