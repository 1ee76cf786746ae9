-- A test in Neovim: `it(name, body)` each, and a line of TAP for it. Waiting is by deadline, never by a pause.
local M = {}

local count, failed = 0, 0
local notified = {}

-- What the user would see, in order. The plugin treats a replaced vim.notify() as one of another plugin.
M.stock_notify = vim.notify
vim.notify = function(text, level)
  table.insert(notified, { text = text, level = level })
end

---What was called that Neovim (0.8 and later) calls deprecated, and from where.
local deprecated = {}
local deprecate = vim.deprecate
if deprecate then
  vim.deprecate = function(name, ...)
    table.insert(deprecated, name .. debug.traceback('', 2))
    return deprecate(name, ...)
  end
end

function M.deprecated()
  return deprecated
end

function M.it(name, body)
  local ok, err = xpcall(body, debug.traceback)
  count = count + 1
  if ok then
    io.stdout:write(('ok %d - %s\n'):format(count, name))
  else
    failed = failed + 1
    io.stdout:write(('not ok %d - %s\n'):format(count, name))
    io.stdout:write('  ' .. tostring(err):gsub('\n', '\n  ') .. '\n')
    io.stdout:write('  notified: ' .. vim.inspect(notified):gsub('%s+', ' ') .. '\n')
  end
end

---Waits until probe() returns something truthy, and returns that.
function M.eventually(what, probe, milliseconds)
  local value
  local ok = vim.wait(milliseconds or 60000, function()
    value = probe()
    return value
  end, 20)
  if not ok then
    error(what .. ': not in time', 2)
  end
  return value
end

---Waits for a message that contains the text (plain), newer than the last one that was waited for.
local seen = 0
function M.message(text)
  return M.eventually(('message %q'):format(text), function()
    for index = seen + 1, #notified do
      if notified[index].text:find(text, 1, true) then
        seen = index
        return notified[index]
      end
    end
  end)
end

function M.messages()
  return vim.tbl_map(function(entry)
    return entry.text
  end, notified)
end

function M.equal(got, want, what)
  if not vim.deep_equal(got, want) then
    error(('%s: got %s, want %s'):format(what or 'value', vim.inspect(got), vim.inspect(want)), 2)
  end
end

---Answers the next vim.ui.select() calls with the choices, in order, and returns what was offered.
function M.choose(...)
  local answers, offered = { ... }, {}
  vim.ui.select = function(items, options, on_choice)
    local format = options.format_item or tostring
    local labels = vim.tbl_map(format, items)
    table.insert(offered, labels)
    local answer = table.remove(answers, 1)
    for index, label in ipairs(labels) do
      if label:find(answer, 1, true) then
        return on_choice(items[index], index)
      end
    end
    error(('no choice %q in %s'):format(answer, vim.inspect(labels)))
  end
  return offered
end

function M.finish()
  io.stdout:write(('# %d passed, %d failed\n'):format(count - failed, failed))
  io.stdout:flush()
  vim.cmd(failed == 0 and 'qall!' or 'cquit!')
end

---Runs a spec file, in which the functions of this module are globals. What it throws outside of a test is a failure too.
function M.run(file)
  local spec = assert(loadfile(file))
  setfenv(spec, setmetatable({}, { __index = setmetatable(M, { __index = _G }) }))
  local ok, err = xpcall(spec, debug.traceback)
  if not ok then
    M.it(vim.fn.fnamemodify(file, ':t'), function()
      error(err)
    end)
  end
  M.finish()
end

return M
