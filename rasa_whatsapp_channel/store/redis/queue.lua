-- A queue. Behind the prefix:
--
--   number                 counts what was put; an entry's number tells its age
--   entry:NUMBER           one entry: key, conversation, body, put_at, attempts, forgiven, out
--   line:CONVERSATION      the numbers of its entries, oldest first
--   waiting                all numbers
--   free                   conversations that can be claimed, by the number of their first entry
--   hidden, hidden_at      conversations claimed, released or on hold: until when, and since when
--   hold:CONVERSATION      until when, and for how many seconds, where no entry is there to hide
--   seen:KEY               this key was put; ends by itself
--   given_up               keys set aside, by the number they got then
--   given_up:KEY           one entry that was set aside; ends by itself
--   wake                   what waiting servers block on; at most one element
--
-- A conversation is in `free`, or in `hidden`, or (with no entries) in neither.

local CLOCK_SLACK = 1 -- a clock may tick a little backwards; more means that it was set
local AT_ONCE = 100 -- what one operation does on the side

local function entry_key(number)
    return prefix .. 'entry:' .. number
end

local function line_key(conversation)
    return prefix .. 'line:' .. conversation
end

local function hold_key(conversation)
    return prefix .. 'hold:' .. conversation
end

local function given_up_key(key)
    return prefix .. 'given_up:' .. key
end

local function wake()
    if redis.call('LLEN', prefix .. 'wake') == 0 then
        redis.call('RPUSH', prefix .. 'wake', 1)
    end
end

local function first(conversation)
    return redis.call('LINDEX', line_key(conversation), 0)
end

local function is_out(number)
    return redis.call('HGET', entry_key(number), 'out') == '1'
end

local function hidden_until(conversation)
    return tonumber(redis.call('ZSCORE', prefix .. 'hidden', conversation) or 0)
end

local function drop(conversation)
    redis.call('ZREM', prefix .. 'free', conversation)
    redis.call('ZREM', prefix .. 'hidden', conversation)
    redis.call('ZREM', prefix .. 'hidden_at', conversation)
end

local function hide(conversation, seconds)
    redis.call('ZREM', prefix .. 'free', conversation)
    redis.call('ZADD', prefix .. 'hidden', now + seconds, conversation)
    redis.call('ZADD', prefix .. 'hidden_at', now, conversation)
end

local function show(conversation)
    drop(conversation)
    local number = first(conversation)
    if number then
        redis.call('ZADD', prefix .. 'free', number, conversation)
        wake()
    end
end

local function hold(conversation, seconds)
    if seconds > 0 then
        redis.call('SET', hold_key(conversation),
            to_text(now + seconds) .. ' ' .. to_text(seconds))
        expire(hold_key(conversation), seconds)
    end
end

-- The seconds that are left of a hold, which is over with this.
local function end_hold(conversation)
    local kept = redis.call('GET', hold_key(conversation))
    if not kept then
        return 0
    end
    redis.call('DEL', hold_key(conversation))
    local till, seconds = string.match(kept, '^(%S+) (%S+)$')
    -- Never longer than was meant, though the clock was set back meanwhile.
    return math.max(0, math.min(till - now, seconds))
end

local function hide_or_show(conversation, seconds)
    if seconds > 0 then
        hide(conversation, seconds)
        wake() -- whoever waits learns when to look again
    else
        show(conversation)
    end
end

local function note_seen(key, retention)
    local seen = redis.call('GET', prefix .. 'seen:' .. key)
    if seen and tonumber(seen) > now then
        return false
    end
    redis.call('SET', prefix .. 'seen:' .. key, to_text(now + retention))
    expire(prefix .. 'seen:' .. key, retention)
    return true
end

local function append(key, conversation, body)
    local number = redis.call('INCR', prefix .. 'number')
    redis.call('HSET', entry_key(number), 'key', key, 'conversation', conversation, 'body', body,
        'put_at', to_text(now), 'attempts', 0, 'forgiven', 0, 'out', 0)
    redis.call('ZADD', prefix .. 'waiting', number, number)
    if redis.call('RPUSH', line_key(conversation), number) == 1 then
        hide_or_show(conversation, end_hold(conversation))
    end
end

-- The number of the entry, unless the claim was lost.
local function held(conversation, key, attempts)
    local number = first(conversation)
    if not number then
        return nil
    end
    local entry = redis.call('HMGET', entry_key(number), 'key', 'attempts', 'out')
    if entry[1] == key and entry[2] == attempts and entry[3] == '1' then
        return number
    end
end

local function remove(conversation, number)
    redis.call('LPOP', line_key(conversation))
    redis.call('ZREM', prefix .. 'waiting', number)
    redis.call('DEL', entry_key(number))
end

local function go_on(conversation, seconds)
    drop(conversation)
    if first(conversation) then
        hide_or_show(conversation, seconds)
    else
        hold(conversation, seconds)
    end
end

local function forget_given_up(key)
    redis.call('DEL', given_up_key(key))
    redis.call('ZREM', prefix .. 'given_up', key)
end

local function forget_old(retention)
    local count = 0
    local keys = redis.call('ZRANGE', prefix .. 'given_up', 0, AT_ONCE - 1)
    for _, key in ipairs(keys) do
        local given_up_at = redis.call('HGET', given_up_key(key), 'given_up_at')
        if given_up_at and given_up_at + retention > now then
            return count
        end
        forget_given_up(key)
        count = count + 1
    end
    return count
end

local function set_aside(key, conversation, body, attempts, put_at, reason, retention)
    redis.call('HSET', given_up_key(key), 'conversation', conversation, 'body', body,
        'attempts', attempts, 'put_at', put_at, 'given_up_at', to_text(now), 'reason', reason)
    expire(given_up_key(key), retention)
    redis.call('ZADD', prefix .. 'given_up', redis.call('INCR', prefix .. 'number'), key)
    forget_old(retention)
end

-- What was hidden in a future that is no more stays hidden for the seconds that were meant.
local function follow_clock()
    local lost = redis.call('ZRANGEBYSCORE', prefix .. 'hidden_at',
        '(' .. to_text(now + CLOCK_SLACK), '+inf', 'LIMIT', 0, AT_ONCE)
    for _, conversation in ipairs(lost) do
        local since = redis.call('ZSCORE', prefix .. 'hidden_at', conversation)
        hide(conversation, hidden_until(conversation) - since)
    end
end

local function show_what_is_due()
    local due = redis.call('ZRANGEBYSCORE', prefix .. 'hidden', '-inf', to_text(now),
        'LIMIT', 0, AT_ONCE)
    for _, conversation in ipairs(due) do
        show(conversation)
    end
end

local function seconds_until_next_due()
    local due = redis.call('ZRANGE', prefix .. 'hidden', 0, 0, 'WITHSCORES')
    return due[2] and to_text(math.max(0, due[2] - now)) or ''
end

local function claim_oldest(lease)
    local conversation = redis.call('ZPOPMIN', prefix .. 'free')[1]
    local number = conversation and first(conversation)
    if not number then
        return nil
    end
    local entry = redis.call('HMGET', entry_key(number), 'key', 'body', 'put_at', 'forgiven', 'out')
    local attempts = redis.call('HINCRBY', entry_key(number), 'attempts', 1)
    redis.call('HSET', entry_key(number), 'out', 1)
    hide(conversation, lease)
    -- Still out: whoever claimed it before has neither ended nor released it.
    return { entry[1], conversation, entry[2], attempts, entry[3], entry[4], entry[5] }
end

local function look_at(number)
    local entry = redis.call('HMGET', entry_key(number),
        'key', 'conversation', 'body', 'attempts', 'put_at', 'out')
    local due_at, out = '', 0
    if first(entry[2]) == number then
        due_at = hidden_until(entry[2])
        if due_at <= now then
            due_at = 0
        elseif entry[6] == '1' then
            out = 1
        end
        due_at = to_text(due_at)
    end
    return { entry[1], entry[2], entry[3], entry[4], entry[5], due_at, out }
end

function operations.put(key, conversation, body, retention)
    if not note_seen(key, retention) then
        return 0
    end
    append(key, conversation, body)
    return 1
end

-- The seconds after which something may be due, then the entries.
function operations.claim(lease, limit)
    go_on_when_full()
    follow_clock()
    show_what_is_due()
    local entries = {}
    while #entries < tonumber(limit) do
        local entry = claim_oldest(lease)
        if not entry then
            break
        end
        entries[#entries + 1] = entry
    end
    if redis.call('ZCARD', prefix .. 'free') > 0 then
        wake()
    end
    return { seconds_until_next_due(), entries }
end

function operations.extend(conversation, key, attempts, lease)
    if not held(conversation, key, attempts) then
        return 0
    end
    go_on_when_full()
    hide(conversation, lease)
    return 1
end

function operations.replace_body(conversation, key, attempts, body)
    local number = held(conversation, key, attempts)
    if not number then
        return 0
    end
    go_on_when_full()
    redis.call('HSET', entry_key(number), 'body', body)
    return 1
end

function operations.done(conversation, key, attempts, seconds)
    local number = held(conversation, key, attempts)
    if number then
        remove(conversation, number)
        go_on(conversation, tonumber(seconds))
    end
end

function operations.release(conversation, key, attempts, after, forgiven)
    local number = held(conversation, key, attempts)
    if number then
        go_on_when_full()
        redis.call('HINCRBY', entry_key(number), 'forgiven', forgiven)
        redis.call('HSET', entry_key(number), 'out', 0)
        hide_or_show(conversation, tonumber(after))
    end
end

function operations.give_up(conversation, key, attempts, reason, retention, seconds)
    local number = held(conversation, key, attempts)
    if number then
        local entry = redis.call('HMGET', entry_key(number), 'body', 'put_at')
        remove(conversation, number)
        set_aside(key, conversation, entry[1], attempts, entry[2], reason, retention)
        go_on(conversation, tonumber(seconds))
    end
end

function operations.put_given_up(key, conversation, body, reason, seen_for, retention)
    if not note_seen(key, seen_for) then
        return 0
    end
    set_aside(key, conversation, body, 0, to_text(now), reason, retention)
    return 1
end

function operations.given_up(limit)
    local found = {}
    for _, key in ipairs(redis.call('ZREVRANGE', prefix .. 'given_up', 0, limit - 1)) do
        local entry = redis.call('HMGET', given_up_key(key),
            'conversation', 'body', 'attempts', 'put_at', 'given_up_at', 'reason')
        if entry[1] then
            found[#found + 1] = { key, unpack(entry) }
        end
    end
    return found
end

function operations.retry(key)
    local entry = redis.call('HMGET', given_up_key(key), 'conversation', 'body')
    if not entry[1] then
        return 0
    end
    forget_given_up(key)
    append(key, entry[1], entry[2])
    return 1
end

function operations.discard(key)
    local was_there = redis.call('EXISTS', given_up_key(key))
    forget_given_up(key)
    return was_there
end

function operations.free(conversation)
    go_on_when_full()
    local number = first(conversation)
    if not number then
        return end_hold(conversation) > 0 and 1 or 0
    end
    if is_out(number) or hidden_until(conversation) <= now then
        return 0
    end
    show(conversation)
    return 1
end

function operations.waiting(limit)
    local entries = {}
    for _, number in ipairs(redis.call('ZRANGE', prefix .. 'waiting', 0, limit - 1)) do
        entries[#entries + 1] = look_at(number)
    end
    return entries
end

function operations.purge(conversation)
    go_on_when_full()
    local count = 0
    local number = first(conversation)
    local busy = number and is_out(number) and hidden_until(conversation) - now or 0
    while number do
        remove(conversation, number)
        count = count + 1
        number = first(conversation)
    end
    drop(conversation)
    end_hold(conversation)
    hold(conversation, busy) -- somebody may still be at work
    for _, key in ipairs(redis.call('ZRANGE', prefix .. 'given_up', 0, -1)) do
        if redis.call('HGET', given_up_key(key), 'conversation') == conversation then
            forget_given_up(key)
            count = count + 1
        end
    end
    return count
end

function operations.depth(retention)
    forget_old(retention)
    local oldest = redis.call('ZRANGE', prefix .. 'waiting', 0, 0)[1]
    return {
        redis.call('ZCARD', prefix .. 'waiting'),
        redis.call('ZCARD', prefix .. 'given_up'),
        oldest and redis.call('HGET', entry_key(oldest), 'put_at') or '',
    }
end

operations.wake = wake

-- How many were forgotten.
function operations.forget_old(retention)
    go_on_when_full()
    follow_clock()
    return forget_old(retention)
end

return operations[ARGV[1]](unpack(ARGV, 3))
