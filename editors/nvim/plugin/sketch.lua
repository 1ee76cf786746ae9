-- Defines :Sketch. Nothing else is loaded before it is used.
if vim.g.loaded_sketch then
  return
end
vim.g.loaded_sketch = true

if vim.fn.has('nvim-0.7') == 0 then
  return
end

vim.api.nvim_create_user_command('Sketch', function(args)
  require('sketch.commands').run(args)
end, {
  nargs = '+',
  bang = true,
  range = true,
  desc = 'sketch-ide: start, stop, prompt, chat, ports, open, ssh, diff, merge, status, log',
  complete = function(lead, line)
    return require('sketch.commands').complete(lead, line)
  end,
})

vim.api.nvim_create_autocmd('VimEnter', {
  once = true,
  callback = function()
    if require('sketch.config').get().auto_start then
      vim.cmd('Sketch start')
    end
  end,
})
