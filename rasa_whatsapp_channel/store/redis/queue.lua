-- Queue. Keys, after the prefix:
--
--   number                 counter of puts; an item's number is its age
--   item:NUMBER            one item: key, conversation, body, put_at, attempts, uncounted, crashes,
--                          claimed (0; 1: by `owner`, in its `claim`; 2: by a process that died),
--                          and after a failure, failing_since and last_error
--   order:CONVERSATION     the numbers of its items, oldest first
--   waiting                all numbers
--   ready, suspects        conversations that can be claimed, by the number of their first item;
--                          suspects are those whose first item may have killed its process
--   hidden, hidden_at      conversations that wait: until when, and since when
--   cause                  what the hidden conversations wait for
--   claimed:OWNER          conversations claimed by this process
--   claimants              the counter of each process
--   claims                 the last claim of each process, and the items it got
--   failing                numbers of items that failed, by the time of the first failure
--   hold:CONVERSATION      the wait of a conversation without items: until when, seconds, cause
--   seen:KEY               this key was put; expires
--   dead                   keys of dead letters, by the number they got then
--   dead:KEY               one dead letter; expires
--   wake                   list on which waiting servers block; at most one element
--
-- A conversation is in `ready`, `suspects`, `hidden` or one of `claimed:…`; without items in none.

local CLOCK_SLACK = 1 -- a clock may go back a little; more means that it was set
local AT_ONCE = 100 -- most due waits that one operation ends
local SUSPECT_FROM = 2 -- crashes, as in store/base.py

local function entry_key(number)
    return prefix .. 'item:' .. number
end

local function line_key(conversation)
    return prefix .. 'order:' .. conversation
end

local function hold_key(conversation)
    return prefix .. 'hold:' .. conversation
end

local function dead_key(key)
    return prefix .. 'dead:' .. key
end

local function claimed_key(owner)
    return prefix .. 'claimed:' .. owner
end

local function wake()
    if redis.call('LLEN', prefix .. 'wake') == 0 then
        redis.call('RPUSH', prefix .. 'wake', 1)
    end
end

local function first(conversation)
    return redis.call('LINDEX', line_key(conversation), 0)
end

local function is_claimed(number)
    return redis.call('HGET', entry_key(number), 'claimed') == '1'
end

local function hidden_until(conversation)
    return tonumber(redis.call('ZSCORE', prefix .. 'hidden', conversation) or 0)
end

local function drop(conversation)
    redis.call('ZREM', prefix .. 'ready', conversation)
    redis.call('ZREM', prefix .. 'suspects', conversation)
    redis.call('ZREM', prefix .. 'hidden', conversation)
    redis.call('ZREM', prefix .. 'hidden_at', conversation)
    redis.call('HDEL', prefix .. 'cause', conversation)
end

local function hide(conversation, seconds, cause)
    redis.call('ZREM', prefix .. 'ready', conversation)
    redis.call('ZREM', prefix .. 'suspects', conversation)
    redis.call('ZADD', prefix .. 'hidden', now + seconds, conversation)
    redis.call('ZADD', prefix .. 'hidden_at', now, conversation)
    redis.call('HSET', prefix .. 'cause', conversation, cause)
end

local function show(conversation)
    drop(conversation)
    local number = first(conversation)
    if number then
        local crashes = tonumber(redis.call('HGET', entry_key(number), 'crashes') or 0)
        local place = crashes >= SUSPECT_FROM and 'suspects' or 'ready'
        redis.call('ZADD', prefix .. place, number, conversation)
        wake()
    end
end

local function hold(conversation, seconds, cause)
    if seconds > 0 then
        local value = to_text(now + seconds) .. ' ' .. to_text(seconds) .. ' ' .. cause
        keep(hold_key(conversation), value, seconds)
    end
end

-- Return the seconds left of a hold, and its cause; nil if there is none.
local function left_of_hold(conversation)
    local kept = redis.call('GET', hold_key(conversation))
    if not kept then
        return nil
    end
    local till, seconds, cause = string.match(kept, '^(%S+) (%S+) (.*)$')
    -- Never longer than intended, even if the clock was set back.
    return math.max(0, math.min(till - now, seconds)), cause
end

local function hide_or_show(conversation, seconds, cause)
    if seconds > 0 then
        hide(conversation, seconds, cause)
        wake() -- waiting servers learn when to claim again
    else
        show(conversation)
    end
end

local function note_seen(key, retention)
    local seen = redis.call('GET', prefix .. 'seen:' .. key)
    if seen and tonumber(seen) > now then
        return false
    end
    keep(prefix .. 'seen:' .. key, to_text(now + retention), retention)
    return true
end

-- Return the number of a new item, which is not in the line of its conversation yet.
local function create(key, conversation, body)
    local number = redis.call('INCR', prefix .. 'number')
    redis.call('HSET', entry_key(number), 'key', key, 'conversation', conversation, 'body', body,
        'put_at', to_text(now), 'attempts', 0, 'uncounted', 0, 'crashes', 0, 'claimed', 0)
    redis.call('ZADD', prefix .. 'waiting', number, number)
    return number
end

-- Insert an item behind the claimed item *failed*, or before all others of a conversation that waits
-- for *cause*. False: its place is at the end.
local function insert_at(failed, cause, key, conversation, body)
    local number = first(conversation)
    if not number then
        return false
    end
    local entry = redis.call('HMGET', entry_key(number), 'key', 'claimed')
    if entry[1] == failed and entry[2] ~= '0' then
        local line = line_key(conversation)
        redis.call('LINSERT', line, 'AFTER', number, create(key, conversation, body))
        return true
    end
    if redis.call('HGET', prefix .. 'cause', conversation) ~= cause then
        return false
    end
    redis.call('LPUSH', line_key(conversation), create(key, conversation, body))
    show(conversation)
    return true
end

local function append(key, conversation, body, after)
    local number = create(key, conversation, body)
    if redis.call('RPUSH', line_key(conversation), number) == 1 then
        local seconds, cause = left_of_hold(conversation)
        if seconds then
            redis.call('DEL', hold_key(conversation))
        end
        if after > (seconds or 0) then
            seconds, cause = after, 'time'
        end
        if (seconds or 0) > 0 then
            hide_or_show(conversation, seconds, cause)
        else -- without items it was nowhere
            redis.call('ZADD', prefix .. 'ready', number, conversation)
            wake()
        end
    end
end

-- Return the number of the item; nil if the claim was lost.
local function held(conversation, key, attempts)
    local number = first(conversation)
    if not number then
        return nil
    end
    local entry = redis.call('HMGET', entry_key(number), 'key', 'attempts', 'claimed')
    if entry[1] == key and entry[2] == attempts and entry[3] ~= '0' then
        return number
    end
end

-- End the claim of the item.
local function end_claim(conversation, number)
    local owner = redis.call('HGET', entry_key(number), 'owner')
    if owner then
        redis.call('SREM', claimed_key(owner), conversation)
        redis.call('HDEL', entry_key(number), 'owner', 'claim')
    end
end

-- Hand the item back as if it had not been claimed.
local function hand_back(conversation, number)
    end_claim(conversation, number)
    redis.call('HINCRBY', entry_key(number), 'uncounted', 1)
    redis.call('HSET', entry_key(number), 'claimed', 0)
    show(conversation)
end

-- Remove the first item of the conversation, which is nowhere then.
local function remove(conversation, number)
    local entry = redis.call('HMGET', entry_key(number), 'owner', 'failing_since')
    if entry[1] then
        redis.call('SREM', claimed_key(entry[1]), conversation)
    else
        drop(conversation)
    end
    redis.call('LPOP', line_key(conversation))
    redis.call('ZREM', prefix .. 'waiting', number)
    if entry[2] then
        redis.call('ZREM', prefix .. 'failing', number)
    end
    redis.call('DEL', entry_key(number))
end

local function go_on(conversation, seconds, cause)
    if first(conversation) then
        hide_or_show(conversation, seconds, cause)
    else
        hold(conversation, seconds, cause)
    end
end

local function forget_dead(key)
    redis.call('DEL', dead_key(key))
    redis.call('ZREM', prefix .. 'dead', key)
end

local function forget_old(retention)
    local count = 0
    local keys = redis.call('ZRANGE', prefix .. 'dead', 0, AT_ONCE - 1)
    for _, key in ipairs(keys) do
        local died_at = redis.call('HGET', dead_key(key), 'died_at')
        if died_at and died_at + retention > now then
            return count
        end
        forget_dead(key)
        count = count + 1
    end
    return count
end

local function bury(key, conversation, body, attempts, put_at, reason, retention)
    redis.call('HSET', dead_key(key), 'conversation', conversation, 'body', body,
        'attempts', attempts, 'put_at', put_at, 'died_at', to_text(now), 'reason', reason)
    expire(dead_key(key), retention)
    redis.call('ZADD', prefix .. 'dead', redis.call('INCR', prefix .. 'number'), key)
    forget_old(retention)
end

-- After the clock was set back, a wait ends after the seconds that were intended.
local function follow_clock()
    local lost = redis.call('ZRANGEBYSCORE', prefix .. 'hidden_at',
        '(' .. to_text(now + CLOCK_SLACK), '+inf', 'LIMIT', 0, AT_ONCE)
    for _, conversation in ipairs(lost) do
        local since = redis.call('ZSCORE', prefix .. 'hidden_at', conversation)
        local cause = redis.call('HGET', prefix .. 'cause', conversation)
        hide(conversation, hidden_until(conversation) - since, cause)
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

-- Return the fields of an item for its claimant.
local function read_claimed(conversation, number)
    local entry = redis.call('HMGET', entry_key(number), 'key', 'body', 'attempts', 'put_at',
        'uncounted', 'crashes', 'failing_since', 'last_error')
    return { entry[1], conversation, unpack(entry, 2, 8) }
end

-- Return the number of its first item; skip items that Redis has lost.
local function first_kept(conversation)
    local number = first(conversation)
    while number and redis.call('EXISTS', entry_key(number)) == 0 do
        remove(conversation, number)
        number = first(conversation)
    end
    return number
end

-- Claim the oldest item of a place, or the first one of the conversation *only*.
local function claim_next(owner, claim, place, only)
    local conversation = only
    if not only then
        conversation = redis.call('ZPOPMIN', prefix .. place)[1]
    elseif redis.call('ZREM', prefix .. 'ready', only) == 0
        and redis.call('ZREM', prefix .. 'suspects', only) == 0 then
        return nil
    end
    local number = conversation and first_kept(conversation)
    if not number then
        return nil
    end
    redis.call('HINCRBY', entry_key(number), 'attempts', 1)
    redis.call('HSET', entry_key(number), 'claimed', 1, 'owner', owner, 'claim', claim)
    redis.call('SADD', claimed_key(owner), conversation)
    return read_claimed(conversation, number)
end

-- Return what the process still holds of a claim whose answer was lost.
local function claimed_before(owner, claim)
    local entries = {}
    for _, conversation in ipairs(redis.call('SMEMBERS', claimed_key(owner))) do
        local number = first(conversation)
        if redis.call('HGET', entry_key(number), 'claim') == claim then
            entries[#entries + 1] = read_claimed(conversation, number)
        end
    end
    return entries
end

-- Hand back what the process got by its claims from the number *since* on: it does not know of it.
local function take_back(owner, since, claim)
    for _, conversation in ipairs(redis.call('SMEMBERS', claimed_key(owner))) do
        local number = first(conversation)
        local got_by = tonumber(redis.call('HGET', entry_key(number), 'claim'))
        if got_by and got_by >= since and got_by < claim then
            hand_back(conversation, number)
        end
    end
end

local function look_at(number)
    local entry = redis.call('HMGET', entry_key(number), 'key', 'conversation', 'body', 'attempts',
        'put_at', 'claimed', 'crashes', 'last_error')
    local conversation = entry[2]
    local state, due_at, cause = 'ready', '', ''
    if first(conversation) ~= number then
        state = 'behind'
    elseif entry[6] == '1' then
        state = 'claimed'
    elseif hidden_until(conversation) > now then
        state, due_at = 'waiting', to_text(hidden_until(conversation))
        cause = redis.call('HGET', prefix .. 'cause', conversation)
    end
    return { entry[1], conversation, entry[3], entry[4], entry[5], state, due_at, cause, entry[7],
        entry[8] }
end

-- *failed* and *cause* say where the item belongs, if not at the end.
function operations.put(key, conversation, body, retention, after, failed, cause)
    if not note_seen(key, retention) then
        return 0
    end
    if failed and insert_at(failed, cause, key, conversation, body) then
        return 1
    end
    append(key, conversation, body, tonumber(after))
    return 1
end

-- Return the seconds until the next wait is due, then the items. *claim* is the number of the claim:
-- a repeated one, whose answer was lost, gets the same items. Those from *since* on got no answer.
function operations.claim(owner, claim, since, limit, place, only)
    go_on_when_full()
    follow_clock()
    show_what_is_due()
    redis.call('HSETNX', prefix .. 'claimants', owner, 0)
    local entries = {}
    local last = redis.call('HGET', prefix .. 'claims', owner)
    if last and tonumber(last) > tonumber(claim) then
        return { '', entries } -- it comes late, over an abandoned connection
    end
    if last == claim then
        entries = claimed_before(owner, claim)
    elseif since ~= claim then
        take_back(owner, tonumber(since), tonumber(claim))
    end
    redis.call('HSET', prefix .. 'claims', owner, claim)
    while #entries < tonumber(limit) do
        local entry = claim_next(owner, claim, place, only)
        if not entry then
            break
        end
        entries[#entries + 1] = entry
    end
    if redis.call('ZCARD', prefix .. 'ready') > 0 then
        wake()
    end
    return { seconds_until_next_due(), entries }
end

-- Increment the counter of this process, and return all counters.
function operations.beat(owner)
    go_on_when_full()
    redis.call('HINCRBY', prefix .. 'claimants', owner, 1)
    return redis.call('HGETALL', prefix .. 'claimants')
end

local function give_back(owner, crashed)
    local conversations = redis.call('SMEMBERS', claimed_key(owner))
    for _, conversation in ipairs(conversations) do
        local number = first(conversation)
        if number then
            redis.call('HINCRBY', entry_key(number), 'crashes', crashed)
            redis.call('HSET', entry_key(number), 'claimed', 2)
            redis.call('HDEL', entry_key(number), 'owner', 'claim')
            show(conversation)
        end
    end
    redis.call('DEL', claimed_key(owner))
    redis.call('HDEL', prefix .. 'claimants', owner)
    redis.call('HDEL', prefix .. 'claims', owner)
    return #conversations
end

-- Release the claims of *owner*, unless its counter has just changed.
function operations.take_over(owner, number)
    go_on_when_full()
    if redis.call('HGET', prefix .. 'claimants', owner) ~= number then
        return 0
    end
    return give_back(owner, 1)
end

-- Release the claims of a process that ends regularly.
function operations.leave(owner)
    go_on_when_full()
    return give_back(owner, 0)
end

function operations.hand_back(conversation, key, attempts)
    local number = held(conversation, key, attempts)
    if number then
        go_on_when_full()
        hand_back(conversation, number)
    end
end

function operations.done(conversation, key, attempts, seconds, cause)
    local number = held(conversation, key, attempts)
    if number then
        remove(conversation, number)
        go_on(conversation, tonumber(seconds), cause)
    end
end

-- *body* and *error* are '' if there is none.
function operations.retry_later(conversation, key, attempts, after, cause, uncounted, body, error)
    local number = held(conversation, key, attempts)
    if not number then
        return
    end
    go_on_when_full()
    end_claim(conversation, number)
    redis.call('HINCRBY', entry_key(number), 'uncounted', uncounted)
    redis.call('HSET', entry_key(number), 'claimed', 0)
    if uncounted == '0' then
        redis.call('HSET', entry_key(number), 'crashes', 0)
    end
    if body ~= '' then
        redis.call('HSET', entry_key(number), 'body', body)
    end
    if error ~= '' then
        redis.call('HSETNX', entry_key(number), 'failing_since', to_text(now))
        redis.call('HSET', entry_key(number), 'last_error', error)
        redis.call('ZADD', prefix .. 'failing', 'NX', now, number)
    end
    hide_or_show(conversation, tonumber(after), cause)
end

function operations.dead_letter(conversation, key, attempts, reason, retention)
    local number = held(conversation, key, attempts)
    if number then
        local entry = redis.call('HMGET', entry_key(number), 'body', 'put_at')
        remove(conversation, number)
        bury(key, conversation, entry[1], attempts, entry[2], reason, retention)
        go_on(conversation, 0)
    end
end

function operations.put_dead_letter(key, conversation, body, reason, seen_for, retention)
    if not note_seen(key, seen_for) then
        return 0
    end
    bury(key, conversation, body, 0, to_text(now), reason, retention)
    return 1
end

function operations.dead_letters(limit)
    local found = {}
    for _, key in ipairs(redis.call('ZREVRANGE', prefix .. 'dead', 0, limit - 1)) do
        local entry = redis.call('HMGET', dead_key(key),
            'conversation', 'body', 'attempts', 'put_at', 'died_at', 'reason')
        if entry[1] then
            found[#found + 1] = { key, unpack(entry) }
        end
    end
    return found
end

function operations.requeue(key)
    local entry = redis.call('HMGET', dead_key(key), 'conversation', 'body')
    if not entry[1] then
        return 0
    end
    forget_dead(key)
    append(key, entry[1], entry[2], 0)
    return 1
end

function operations.discard(key)
    local was_there = redis.call('EXISTS', dead_key(key))
    forget_dead(key)
    return was_there
end

-- End the wait if its cause is *cause*.
function operations.end_wait(conversation, cause)
    go_on_when_full()
    if not first(conversation) then
        local left, waits_for = left_of_hold(conversation)
        if waits_for ~= cause then
            return 0
        end
        redis.call('DEL', hold_key(conversation))
        return left > 0 and 1 or 0
    end
    if hidden_until(conversation) <= now
        or redis.call('HGET', prefix .. 'cause', conversation) ~= cause then
        return 0
    end
    show(conversation)
    return 1
end

-- End every wait for *cause*; return their number.
function operations.end_waits(cause)
    go_on_when_full()
    local causes, count = redis.call('HGETALL', prefix .. 'cause'), 0
    for index = 1, #causes, 2 do
        if causes[index + 1] == cause then
            show(causes[index])
            count = count + 1
        end
    end
    return count
end

-- Return the state of the first item of a conversation, '' if it has none.
function operations.state_of_first(conversation)
    local number = first(conversation)
    return number and look_at(number)[6] or ''
end

function operations.waiting(limit)
    local entries = {}
    for _, number in ipairs(redis.call('ZRANGE', prefix .. 'waiting', 0, limit - 1)) do
        if redis.call('EXISTS', entry_key(number)) == 1 then
            entries[#entries + 1] = look_at(number)
        end
    end
    return entries
end

function operations.erase(conversation, pause)
    go_on_when_full()
    local count = 0
    local number = first(conversation)
    local busy = number and is_claimed(number)
    while number do
        remove(conversation, number)
        count = count + 1
        number = first(conversation)
    end
    redis.call('DEL', hold_key(conversation))
    if busy then
        -- Its consumer may still be working on it; the next item must not overtake it.
        hold(conversation, tonumber(pause), 'time')
    end
    for _, key in ipairs(redis.call('ZRANGE', prefix .. 'dead', 0, -1)) do
        if redis.call('HGET', dead_key(key), 'conversation') == conversation then
            forget_dead(key)
            count = count + 1
        end
    end
    return count
end

local function put_at(number)
    return tonumber(redis.call('HGET', entry_key(number), 'put_at') or now)
end

-- Return since when something waits that waits for nothing, or fails; '' if nothing does.
local function late_since()
    local since
    local function note(time)
        if time and (not since or time < since) then
            since = time
        end
    end
    for _, place in ipairs({'ready', 'suspects'}) do
        local conversation = redis.call('ZRANGE', prefix .. place, 0, 0)[1]
        if conversation then
            note(put_at(first(conversation)))
        end
    end
    for _, owner in ipairs(redis.call('HKEYS', prefix .. 'claimants')) do
        for _, conversation in ipairs(redis.call('SMEMBERS', claimed_key(owner))) do
            note(put_at(first(conversation)))
        end
    end
    local due = tonumber(redis.call('ZRANGE', prefix .. 'hidden', 0, 0, 'WITHSCORES')[2])
    note(due and due <= now and due)
    note(tonumber(redis.call('ZRANGE', prefix .. 'failing', 0, 0, 'WITHSCORES')[2]))
    return since and to_text(since) or ''
end

function operations.depth(retention)
    forget_old(retention)
    local newest = redis.call('ZREVRANGE', prefix .. 'failing', 0, 0)[1]
    return {
        redis.call('ZCARD', prefix .. 'waiting'),
        redis.call('ZCARD', prefix .. 'dead'),
        late_since(),
        redis.call('ZCARD', prefix .. 'failing'),
        newest and redis.call('HGET', entry_key(newest), 'last_error') or '',
    }
end

operations.wake = wake

-- Return the number of deleted dead letters.
function operations.expire(retention)
    go_on_when_full()
    follow_clock()
    return forget_old(retention)
end
