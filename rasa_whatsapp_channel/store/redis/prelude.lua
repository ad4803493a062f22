-- Beginning of the script, before the parts (queue, ledger, values), each in a block of its own that
-- has the table `operations`. The operations of one moment are one call of the script. KEYS[1] is the
-- prefix of all keys; ARGV has the time ('' for the clock of Redis), the lengths of the words that tell
-- the operations, and these words without anything between them: of each operation the prefix of its
-- keys, its part, its name, the number of its arguments, and these.

local parts = {}
local prefix -- of the keys of the operation that runs

local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- Lua's own tostring drops the fractions of a second.
local function to_text(number)
    return string.format('%.17g', number)
end

-- Redis expires keys by its own clock, even if the store has another one.
local function milliseconds(seconds)
    return math.max(1, math.ceil(seconds * 1000))
end

local function expire(key, seconds)
    redis.call('PEXPIRE', key, milliseconds(seconds))
end

local function keep(key, value, seconds)
    redis.call('SET', key, value, 'PX', milliseconds(seconds))
end

-- With its memory full, Redis refuses a script at the first command that may need more of it,
-- unless the script has written before. Deleting a missing key counts, so claims can be ended, which
-- makes room, while new items are refused as a whole: they never come behind such an operation in
-- one call, see connection.py.
local function go_on_when_full()
    redis.call('DEL', prefix .. 'nothing')
end
