-- Prelude of every script. KEYS[1] is the prefix of all keys of the part;
-- ARGV has the operation, the time ('' for the clock of Redis) and the operation's arguments.

local prefix = KEYS[1]
local operations = {}

local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- Lua's own tostring drops the fractions of a second.
local function to_text(number)
    return string.format('%.17g', number)
end

-- Redis expires keys by its own clock, even if the store has another one.
local function expire(key, seconds)
    redis.call('PEXPIRE', key, math.max(1, math.ceil(seconds * 1000)))
end

-- With its memory full, Redis refuses a script at the first command that may need more of it,
-- unless the script has written before. Deleting a missing key counts, so claims can be ended, which
-- makes room, while new items are refused as a whole.
local function go_on_when_full()
    redis.call('DEL', prefix .. 'nothing')
end
