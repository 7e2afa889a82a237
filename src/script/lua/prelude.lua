-- Runs once, when the base image is made: trims the standard library and makes what scripts and the engine share.
-- Gets the engine's own functions in a table and returns what the engine keeps references to.
local host = ...
local type, rawget, rawset, select, pairs, ipairs, next, error = type, rawget, rawset, select, pairs, ipairs, next, error
local setmetatable, getmetatable, tostring_raw, load_raw = setmetatable, getmetatable, tostring, load
local format, find, match, gsub, rep, concat, sort = string.format, string.find, string.match, string.gsub, string.rep, table.concat, table.sort
local pack, unpack, pcall = table.pack, table.unpack, pcall
local math_type, string_byte, utf8_len, tonumber = math.type, string.byte, utf8.len, tonumber
local getinfo, getlocal, traceback, raw_getmetatable, raw_setmetatable = debug.getinfo, debug.getlocal, debug.traceback, debug.getmetatable, debug.setmetatable

-- Standard library: what is left of it.
io, dofile, loadfile, warn = nil, nil, nil, nil
string.dump = nil
package = nil
os = { clock = host.clock, date = host.date, difftime = function(a, b) return a - b end }
debug = { traceback = traceback }
getmetatable('').__metatable = false

-- Hands over numbers only, however large the table and what is in it.
local date_fields = { 'year', 'month', 'day', 'hour', 'min', 'sec' }

function os.time(date)
  if date == nil then return host.time() end
  if type(date) ~= 'table' then return host.time(false) end
  local given = {}
  for _, name in ipairs(date_fields) do
    local value = date[name]
    if value ~= nil then given[name] = tonumber(value) or '?' end
  end
  return host.time(given)
end

-- Gives the results of a protected call; its error is raised anew as one of the script's line that called the function of the prelude.
local function passed(name, ok, problem, ...)
  if ok then return problem, ... end
  if type(problem) == 'string' and (find(problem, '^%[llmspell%]:%d+: ') or find(problem, '^bad argument #')) then
    problem = gsub(gsub(problem, '^%[llmspell%]:%d+: ', '', 1), "to '%?'", "to '" .. name .. "'", 1)
    error(problem, 3)
  end
  error(problem, 0)
end

function _G.setmetatable(object, metatable)
  if type(metatable) == 'table' and rawget(metatable, '__gc') ~= nil then
    error('setmetatable: there are no finalizers (__gc); use <close>', 2)
  end
  local old = type(object) == 'table' and raw_getmetatable(object)
  if type(old) == 'table' and rawget(old, '__metatable') ~= nil then error('cannot change a protected metatable', 2) end
  return passed('setmetatable', pcall(setmetatable, object, metatable))
end

function load(chunk, name, mode, ...)
  if mode ~= nil and mode ~= 't' and mode ~= 'bt' then error("load: only text chunks (mode 't')", 2) end
  if select('#', ...) > 0 then return passed('load', pcall(load_raw, chunk, name, 't', (...))) end
  return passed('load', pcall(load_raw, chunk, name, 't'))
end

-- Values print a number of the run, never an address.
local numbers, last_number = setmetatable({}, { __mode = 'k' }), 0
local reference = { table = true, ['function'] = true, thread = true, userdata = true }

local function number_of(value)
  local number = numbers[value]
  if not number then
    last_number = last_number + 1
    number = last_number
    numbers[value] = number
  end
  return number
end

function tostring(value)
  local kind = type(value)
  if not reference[kind] then return tostring_raw(value) end
  local metatable = raw_getmetatable(value)
  if metatable and rawget(metatable, '__tostring') ~= nil then return tostring_raw(value) end
  local name = metatable and rawget(metatable, '__name')
  return (type(name) == 'string' and name or kind) .. ': ' .. number_of(value)
end
local tostring = tostring

local function formatted(text, ...)
  for i = 1, select('#', ...) do
    if reference[type((select(i, ...)))] then
      local values = pack(...)
      for k = i, values.n do
        if reference[type(values[k])] then values[k] = tostring(values[k]) end
      end
      return format(text, unpack(values, 1, values.n))
    end
  end
  return format(text, ...)
end

function string.format(text, ...)
  if type(text) == 'string' and find(text, '%%[%-%d]*p') then
    text = gsub(text, '%%([%-%d]*)(.)', function(width, letter) return letter == 'p' and '%' .. width .. 's' or nil end)
  end
  return passed('format', pcall(formatted, text, ...))
end

-- Lazy maps: tables that lack fields until one is missed. What is known of them lives here, out of reach.
local lazy_ids = setmetatable({}, { __mode = 'k' })

local function fill(map)
  local id = lazy_ids[map]
  if id == nil then return end
  lazy_ids[map] = nil
  raw_setmetatable(map, nil)
  for key, value in next, host.fill(id) do
    if rawget(map, key) == nil then rawset(map, key, value) end
  end
end

local lazy_metatable = {
  __metatable = false,
  __index = function(map, key)
    fill(map)
    return rawget(map, key)
  end,
  __pairs = function(map)
    fill(map)
    return next, map, nil
  end,
}

-- print: tables readably, with their keys in order.
local inspect

-- A text in quotes on one line; what is no UTF-8 is bytes.
local function quote(text)
  local quoted = gsub(format('%q', text), '\n', 'n')
  if utf8_len(text) then return quoted end
  return (gsub(quoted, '[\128-\255]', function(byte) return format('\\x%02x', string_byte(byte)) end))
end

local function key_text(key)
  if type(key) == 'string' and find(key, '^[%a_][%w_]*$') then return key end
  return '[' .. (type(key) == 'string' and format('%q', key) or tostring(key)) .. ']'
end

local function key_order(a, b)
  local ta, tb = type(a), type(b)
  if ta == tb and (ta == 'number' or ta == 'string') then return a < b end
  return ta < tb
end

inspect = function(value, depth, seen)
  if type(value) == 'string' then return quote(value) end
  if type(value) ~= 'table' then return tostring(value) end
  local metatable = raw_getmetatable(value)
  if metatable == lazy_metatable then fill(value) end
  if metatable and rawget(metatable, '__tostring') ~= nil then return tostring(value) end
  if seen[value] then return '<cycle>' end
  if depth >= 5 then return '{…}' end
  seen[value] = true
  local parts, keys, length = {}, {}, 0
  while rawget(value, length + 1) ~= nil do
    length = length + 1
    if length <= 100 then parts[length] = inspect(rawget(value, length), depth + 1, seen) end
  end
  if length > 100 then parts[101] = '…' end
  for key in next, value do
    if not (math_type(key) == 'integer' and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  sort(keys, key_order)
  for i, key in ipairs(keys) do
    if i > 100 then parts[#parts + 1] = '…' break end
    parts[#parts + 1] = key_text(key) .. ' = ' .. inspect(rawget(value, key), depth + 1, seen)
  end
  seen[value] = nil
  if #parts == 0 then return '{}' end
  return '{' .. concat(parts, ', ') .. '}'
end

function print(...)
  local parts = pack(...)
  for i = 1, parts.n do
    local value = parts[i]
    parts[i] = type(value) == 'string' and value or inspect(value, 0, {})
  end
  -- One part is the line: a long text is not copied.
  host.print(parts.n == 1 and parts[1] or concat(parts, '\t', 1, parts.n))
end

-- Errors of the host: a table whose text is the message behind the script's own line.
local places = setmetatable({}, { __mode = 'k' })

local function error_text(value)
  return (places[value] or '') .. tostring(rawget(value, 'message'))
end

local error_metatable = {
  __name = 'ScriptError',
  __metatable = false,
  __tostring = error_text,
  __concat = function(a, b) return tostring(a) .. tostring(b) end,
}

local function make_error(place, code, message, method, details, cause)
  local value = setmetatable({ code = code, message = message, method = method, details = details, cause = cause }, error_metatable)
  places[value] = place
  return value
end

-- Handles: userdata of the engine; what they show lives here, out of reach.
local fields_of = setmetatable({}, { __mode = 'k' })

local function handle_metatable(name, methods)
  return {
    __name = name,
    __metatable = false,
    __index = function(handle, key)
      local method = methods[key]
      if method ~= nil then return method end
      local fields = fields_of[handle]
      return fields and fields[key]
    end,
    __newindex = function(_, key)
      error('the ' .. name .. ' handle cannot be changed (' .. tostring(key) .. ')', 2)
    end,
    __tostring = function(handle)
      local fields = fields_of[handle]
      local label = fields and fields.name
      return label and (name .. ' ' .. tostring(label)) or (name .. ': ' .. number_of(handle))
    end,
  }
end

-- require: script files beside the one that calls it or the main one, each once; a fiber that needs one which another is running waits for it.
local loaded = {}
local release = { __close = function(guard) host.loaded(guard.path) end }

local function run_module(path, text, name, shown)
  local guard <close> = setmetatable({ path = path }, release)
  local chunk, problem = load_raw(text, '@' .. shown, 't')
  if not chunk then
    local place, message = match(problem, '^(.-:%d+: )(.*)$')
    if not place or find(message, 'overflow', 1, true) then error(problem, 0) end
    error(make_error(place, 'SYNTAX_ERROR', message, 'require'), 0)
  end
  local value = chunk(name, shown)
  if value == nil then value = true end
  loaded[path] = value
  return value
end

-- The file that calls require; after a tail call only the frame that runs its module tells.
local function calling_file()
  local caller = getinfo(3, 'Sf')
  if not caller then return '' end
  if caller.func ~= run_module then return caller.source end
  local _, shown = getlocal(3, 4)
  return '@' .. shown
end

function require(name)
  if type(name) ~= 'string' then error('require: name: expected a string, got ' .. type(name), 2) end
  local text, path, shown = host.source(name, calling_file())
  while loaded[path] == nil do
    local claimed = host.load(path)
    if claimed == false then error('require: "' .. name .. '" requires itself', 2) end
    if claimed then return run_module(path, text, name, shown) end
  end
  return loaded[path]
end

-- What an uncaught error says of a value that is neither text nor data; runs where the error is raised.
local function describe(value)
  local kind = type(value)
  local metatable = reference[kind] and raw_getmetatable(value)
  if metatable and metatable ~= error_metatable and rawget(metatable, '__tostring') ~= nil then
    local ok, text = pcall(tostring_raw, value)
    if ok and type(text) == 'string' then return text end
  end
  if kind == 'string' or kind == 'table' then return nil end
  return 'the script threw ' .. (reference[kind] and 'a ' .. kind or tostring_raw(value))
end

local null_metatable = { __name = 'null', __metatable = false, __tostring = function() return 'null' end }
local array_metatable = { __name = 'array', __metatable = false }

return {
  make_error = make_error,
  error_text = error_text,
  place_of = function(value) return places[value] end,
  error_metatable = error_metatable,
  array_metatable = array_metatable,
  array = function(list)
    if list ~= nil and type(list) ~= 'table' then error('JSON.array: list: expected a table, got ' .. type(list), 2) end
    return raw_setmetatable(list or {}, array_metatable)
  end,
  null_metatable = null_metatable,
  handle_metatable = handle_metatable,
  set_fields = function(handle, fields) fields_of[handle] = fields end,
  handles = setmetatable({}, { __mode = 'v' }),
  handler = function(value) return host.handler(value, describe(value)) end,
  lazy_ids = lazy_ids,
  lazy = function(map, id)
    lazy_ids[map] = id
    return raw_setmetatable(map, lazy_metatable)
  end,
  seed = math.randomseed,
  -- A chunk of a session: what it comes to, readably; nil when it gives nothing.
  show = function(chunk)
    local values = pack(chunk())
    if values.n == 0 then return nil end
    for i = 1, values.n do values[i] = inspect(values[i], 0, {}) end
    return concat(values, '\t', 1, values.n)
  end,
}
