-- What the agent has changed: as one unified diff, or a file side by side; and taking it over.
local buffer = require('sketch.buffer')
local client = require('sketch.client')
local notify = require('sketch.notify')

local M = {}

local paths = {} -- of the last diff, for completion

---@return string[]
function M.paths()
  return paths
end

local function unified(result)
  local lines = {}
  for _, file in ipairs(result.files) do
    table.insert(lines, ('diff --git a/%s b/%s'):format(file.oldPath or file.path, file.path))
    table.insert(lines, file.status == 'added' and '--- /dev/null' or '--- a/' .. (file.oldPath or file.path))
    table.insert(lines, file.status == 'deleted' and '+++ /dev/null' or '+++ b/' .. file.path)
    if file.binary then
      table.insert(lines, 'Binary files differ')
    end
    for _, hunk in ipairs(file.hunks or {}) do
      local header = '@@ -%d,%d +%d,%d @@ %s'
      table.insert(lines, vim.trim(header:format(hunk.oldStart, hunk.oldLines, hunk.newStart, hunk.newLines, hunk.header or '')))
      vim.list_extend(lines, hunk.lines)
    end
  end
  if result.truncated then
    table.insert(lines, '# There is more: :Sketch diff {file}')
  end
  return lines
end

---Shows everything that a session has changed, uncommitted work included where asked.
---@param session string
---@param uncommitted boolean
---@param branch? string one that was made inside beside the session's own
function M.all(session, uncommitted, branch)
  client.execute('sketch.diff', { session = session, uncommitted = uncommitted or nil, branch = branch }, function(result)
    paths = vim.tbl_map(function(file)
      return file.path
    end, result.files)
    if #result.files == 0 then
      return notify.show(('%s has changed nothing'):format(session))
    end
    buffer.scratch('diff', unified(result), 'diff')
  end)
end

local function side(what, version, command, done)
  local path, branch = what.path, version == 'branch' and what.branch or nil
  client.execute('sketch.file', { session = what.session, path = path, version = version, branch = branch }, function(result)
    local target = buffer.named(('%s/%s/%s'):format(what.session, branch or version, path))
    local text = result.binary and 'binary' or result.content or ''
    buffer.replace(target, 0, -1, vim.split((text:gsub('\n$', '')), '\n', { plain = true }))
    vim.cmd(command)
    vim.api.nvim_win_set_buf(0, target)
    vim.bo[target].filetype = vim.filetype and vim.filetype.match and vim.fn.has('nvim-0.8') == 1 and vim.filetype.match({ filename = path }) or ''
    vim.cmd('diffthis')
    done()
  end)
end

---Shows one file as it was and as it is, side by side.
---@param session string
---@param path string
---@param uncommitted boolean
---@param branch? string one that was made inside beside the session's own
function M.file(session, path, uncommitted, branch)
  local what = { session = session, path = path, branch = branch }
  side(what, 'base', 'tabnew', function()
    side(what, uncommitted and 'inside' or 'branch', 'rightbelow vsplit', function() end)
  end)
end

M.ways = { 'merge', 'cherryPick', 'squash', 'reset' }

local verbs = { merge = 'Merge', cherryPick = 'Cherry-pick', squash = 'Squash', reset = 'Reset to' }

local function describe(result)
  local commits = result.commits == 1 and '1 commit' or ('%d commits'):format(result.commits)
  local text = ('%s %s of %s into %s'):format(verbs[result.how], commits, result.branch, result.into)
  if result.lost and result.lost > 0 then
    text = ('%s, leaving %d of its own behind'):format(text, result.lost)
  end
  return text
end

---Takes a session's work over, after a look at what that would do and a question.
---@param session string
---@param how string
---@param bang boolean without the question
---@param branch? string one that was made inside beside the session's own
function M.merge(session, how, bang, branch)
  client.execute('sketch.merge', { session = session, how = how, branch = branch, dryRun = true }, function(would)
    if would.conflicts and #would.conflicts > 0 then
      local names = table.concat(would.conflicts, ', ')
      return notify.show(('%s would conflict in %s'):format(would.branch, names), vim.log.levels.WARN)
    end
    local function really()
      client.execute('sketch.merge', { session = session, how = how, branch = branch }, function(result)
        vim.cmd('checktime')
        notify.show(('%s: %s is at %s'):format(result.branch, result.into, (result.commit or ''):sub(1, 10)))
      end)
    end
    if bang then
      return really()
    end
    vim.ui.select({ describe(would), 'Keep it apart' }, { prompt = 'Sketch: Merge' }, function(_, index)
      if index == 1 then
        really()
      end
    end)
  end)
end

return M
