-- Opens a web page.
local M = {}

local function command(url)
  if vim.fn.has('mac') == 1 then
    return { 'open', url }
  elseif vim.fn.has('win32') == 1 then
    return { 'rundll32', 'url.dll,FileProtocolHandler', url }
  end
  return { 'xdg-open', url }
end

---@param url string
---@return boolean opened
function M.open(url)
  -- Labels and protocols come from the repository's files: nothing but a web page is handed to the system.
  if not url:match('^https?://') then
    return false
  end
  local browser = vim.env.BROWSER
  if browser and browser ~= '' and vim.fn.executable(browser) == 1 then
    return vim.fn.jobstart({ browser, url }, { detach = true }) > 0
  end
  if vim.ui.open then
    local _, err = vim.ui.open(url)
    return err == nil
  end
  local argv = command(url)
  return vim.fn.executable(argv[1]) == 1 and vim.fn.jobstart(argv, { detach = true }) > 0
end

return M
