-- Values that expire, and token buckets. Keys, after the prefix:
--
--   value:KEY      its expiry, a blank, the value
--   bucket:KEY     tokens, the time of that number, and when it is full

-- Adding seconds to a unix time rounds; after the wait there must be a token all the same.
local ROUNDING = 1e-3
local SPARE = 60 -- seconds that a full bucket is kept

-- Return what is left of what Redis has of a value: nil if it has expired.
local function live(kept)
    local ends_at, value = string.match(kept or '0 ', '^(%S+) (.*)$')
    return tonumber(ends_at) > now and value or nil
end

function operations.get(key)
    return live(redis.call('GET', prefix .. 'value:' .. key))
end

-- Return the value of each key, false for none.
function operations.get_many(...)
    local keys, values = {}, {}
    for n, key in ipairs({ ... }) do
        keys[n] = prefix .. 'value:' .. key
    end
    for n, kept in ipairs(redis.call('MGET', unpack(keys))) do
        values[n] = live(kept) or false
    end
    return values
end

function operations.set(key, value, ttl)
    keep(prefix .. 'value:' .. key, to_text(now + ttl) .. ' ' .. value, ttl)
    return 1
end

-- The arguments are keys and values, in turn.
function operations.set_many(ttl, ...)
    local pairs = { ... }
    for n = 1, #pairs, 2 do
        operations.set(pairs[n], pairs[n + 1], ttl)
    end
end

function operations.add(key, value, ttl)
    if operations.get(key) then
        return 0
    end
    return operations.set(key, value, ttl)
end

function operations.replace(key, before, value, ttl)
    if operations.get(key) ~= before then
        return 0
    end
    return operations.set(key, value, ttl)
end

function operations.delete(key)
    redis.call('DEL', prefix .. 'value:' .. key)
end

local function tokens_in(bucket, rate, burst)
    local before = redis.call('HMGET', bucket, 'tokens', 'at', 'full_at')
    if not before[1] or tonumber(before[3]) <= now then
        return burst
    end
    -- A clock that was set back neither adds nor removes tokens.
    local passed = math.max(0, now - before[2])
    return math.min(burst, before[1] + passed * rate)
end

local function seconds_to_token(tokens, rate)
    return tokens > 1 - ROUNDING and 0 or (1 - tokens) / rate
end

-- The arguments are key, rate and burst of each bucket. Take a token from each, or from none if one
-- is empty; return for each the seconds until it has a token.
function operations.take(...)
    go_on_when_full()
    local args, tokens, waits = { ... }, {}, {}
    local price = 1
    for n = 1, #args, 3 do
        local bucket, rate, burst = args[n], tonumber(args[n + 1]), tonumber(args[n + 2])
        table.insert(tokens, tokens_in(prefix .. 'bucket:' .. bucket, rate, burst))
        table.insert(waits, seconds_to_token(tokens[#tokens], rate))
        if waits[#waits] > 0 then
            price = 0
        end
    end
    for n, wait in ipairs(waits) do
        local bucket, rate, burst = args[3 * n - 2], args[3 * n - 1], args[3 * n]
        local left = tokens[n] - price
        local seconds = (burst - left) / rate
        redis.call('HSET', prefix .. 'bucket:' .. bucket,
            'tokens', to_text(left), 'at', to_text(now), 'full_at', to_text(now + seconds))
        expire(prefix .. 'bucket:' .. bucket, seconds + SPARE)
        waits[n] = to_text(wait)
    end
    return waits
end

-- The arguments are counters and their limits, in turn. The value of a key that is counted are
-- its counters, and how many others each of them had, in turn.
function operations.count(key, ttl, beyond, ...)
    go_on_when_full()
    local args, found = { ... }, {}
    local counted = operations.get(key)
    if counted then
        local pairs_of_key, before = cjson.decode(counted), {}
        for n = 1, #pairs_of_key, 2 do
            before[pairs_of_key[n]] = pairs_of_key[n + 1]
        end
        for n = 1, #args, 2 do
            table.insert(found, before[args[n]] or 0)
        end
        return found
    end
    local is_full, value = false, {}
    for n = 1, #args, 2 do
        local count = tonumber(operations.get(args[n]) or 0)
        is_full = is_full or count >= tonumber(args[n + 1])
        table.insert(found, count)
        table.insert(value, args[n])
        table.insert(value, count)
    end
    if not is_full or beyond == '1' then
        for n, count in ipairs(found) do
            operations.set(args[2 * n - 1], count + 1, ttl)
        end
        operations.set(key, cjson.encode(value), ttl)
    end
    return found
end

function operations.uncount(key)
    go_on_when_full()
    local counted = cjson.decode(operations.get(key) or '[]')
    operations.delete(key)
    for n = 1, #counted, 2 do
        local counter = prefix .. 'value:' .. counted[n]
        local kept = redis.call('GET', counter)
        if kept then
            local ends_at, count = string.match(kept, '^(%S+) (.*)$')
            redis.call('SET', counter, ends_at .. ' ' .. (count - 1), 'KEEPTTL')
        end
    end
end
