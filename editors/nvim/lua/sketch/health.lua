-- :checkhealth sketch
local M = {}

-- The names were health#report_… until 0.8, in a module of its own until 0.7.
local health = vim.health or require('health')
local report = {
  start = health.start or health.report_start,
  ok = health.ok or health.report_ok,
  warn = health.warn or health.report_warn,
  error = health.error or health.report_error,
}

---@param argv string[]
---@return string? output nil when it failed
---@return string problem
local function run(argv)
  local output = vim.fn.system(argv)
  if vim.v.shell_error ~= 0 and not vim.startswith(output, '{') then
    return nil, vim.trim(output)
  end
  return output, ''
end

local function decode(text)
  local ok, value = pcall(vim.fn.json_decode, text)
  return ok and type(value) == 'table' and value or nil
end

local function check_backend()
  local config = require('sketch.config')
  local executable = config.command()
  if vim.fn.executable(executable) ~= 1 then
    local advice = 'Install sketch-ide on $PATH, or name it: vim.g.sketch = { cmd = { "/path/sketch-ide", "serve", "--stdio" } }'
    return report.error(('%s was not found'):format(executable), { advice })
  end
  local output, problem = run({ executable, 'version', '--json' })
  local version = output and decode(output)
  if not version or not version.version then
    return report.error(('%s does not say its version: %s'):format(executable, problem), { 'Is it sketch-ide?' })
  end
  report.ok(('%s, version %s'):format(vim.fn.exepath(executable), version.version))

  local doctor = decode(run({ executable, 'doctor', '--json' }) or '')
  for _, check in ipairs(doctor and doctor.checks or {}) do
    local text = ('%s: %s'):format(check.name, check.detail)
    if check.ok then
      report.ok(text)
    else
      report.error(text, check.hint and { check.hint } or nil)
    end
  end
end

function M.check()
  report.start('sketch')
  if vim.fn.has('nvim-0.7') == 1 then
    report.ok('Neovim is new enough')
  else
    report.error('Neovim 0.7 or later is needed')
  end
  local problems = require('sketch.config').problems()
  for _, problem in ipairs(problems) do
    report.warn('configuration: ' .. problem)
  end
  if #problems == 0 then
    report.ok('the configuration is valid')
  end
  check_backend()
end

return M
