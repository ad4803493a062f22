-- Stands before every script. KEYS[1] is what all keys of the part begin with;
-- ARGV holds the operation, the time ('' for Redis' own clock) and the operation's arguments.

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

-- Redis ends keys by its own clock, even when the store was given another one.
local function expire(key, seconds)
    redis.call('PEXPIRE', key, math.max(1, math.ceil(seconds * 1000)))
end

-- With its memory full, Redis refuses a script at the first command that may need more of it,
-- unless the script has written before. Deleting what is not there counts, so what is in hand
-- can be ended and makes room, while new items are refused whole.
local function go_on_when_full()
    redis.call('DEL', prefix .. 'nothing')
end
