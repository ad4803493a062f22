-- Ledger of sent messages. Keys, after the prefix:
--
--   message:ID         key, recipient_id, response, status, rank, at, reason, code, ends_at; without
--                      `key`, only a status has arrived so far. Once it is charged: the fields of the charge
--   body:ID            the item as it was sent, while it may have to be sent again; expires
--   key:KEY            the message id last recorded for this outbox item
--   recipient:ID       the message ids of one person, by the time they expire
--   charges            the message ids that are charged, by the time of it
--   allowance:MONTH:NUMBER   how many messages of a number count in that month

local ALLOWANCE_KEPT = 62 * 86400 -- seconds
local CHARGED_FIELDS = {
    'recipient_id', 'response', 'charged_at', 'number', 'country', 'category', 'type', 'month', 'nth'
}
local FIELDS = { 'key', 'recipient_id', 'response', 'status', 'at', 'reason', 'code' }

local function body_key(message_id)
    return prefix .. 'body:' .. message_id
end

local function message_key(message_id)
    return prefix .. 'message:' .. message_id
end

-- Return the key of the message, after deleting it if it has expired.
local function kept(message_id)
    local message = message_key(message_id)
    local ends_at = redis.call('HGET', message, 'ends_at')
    if ends_at and tonumber(ends_at) <= now then
        redis.call('DEL', message)
    end
    return message
end

local function read(message_id)
    local fields = redis.call('HMGET', kept(message_id), unpack(FIELDS))
    if fields[1] then
        local body = redis.call('GET', body_key(message_id))
        return { message_id, body, unpack(fields, 1, #FIELDS) }
    end
end

-- Let the message and its references expire together, *retention* after its status.
local function renew(message_id, retention)
    local message = message_key(message_id)
    local fields = redis.call('HMGET', message, 'at', 'key', 'recipient_id')
    local ends_at = fields[1] + retention
    redis.call('HSET', message, 'ends_at', to_text(ends_at))
    expire(message, ends_at - now)
    if fields[2] then
        local recipient = prefix .. 'recipient:' .. fields[3]
        redis.call('ZADD', recipient, ends_at, message_id)
        redis.call('ZREMRANGEBYSCORE', recipient, '-inf', to_text(now))
        expire(recipient, retention)
        expire(prefix .. 'key:' .. fields[2], ends_at - now)
    end
end

-- The fields are pairs, so that unknown ones are omitted. *body*, '' for none, is kept for
-- *body_life* seconds unless a status of *arrived* or higher has arrived.
function operations.note_sent(message_id, rank, arrived, retention, body, body_life, key, ...)
    go_on_when_full()
    local message = kept(message_id)
    redis.call('HDEL', message, 'response')
    redis.call('HSET', message, 'key', key, ...)
    if redis.call('HSETNX', message, 'rank', rank) == 1 then
        redis.call('HSET', message, 'status', 'accepted', 'at', to_text(now))
    end
    redis.call('SET', prefix .. 'key:' .. key, message_id)
    if body ~= '' and tonumber(redis.call('HGET', message, 'rank')) < tonumber(arrived) then
        keep(body_key(message_id), body, body_life)
    end
    renew(message_id, retention)
    return read(message_id)
end

function operations.note_status(message_id, rank, arrived, retention, ...)
    go_on_when_full()
    local message = kept(message_id)
    local before = redis.call('HGET', message, 'rank')
    if before and tonumber(before) >= tonumber(rank) then
        return nil
    end
    if tonumber(rank) >= tonumber(arrived) then
        redis.call('DEL', body_key(message_id))
    end
    redis.call('HDEL', message, 'reason', 'code')
    redis.call('HSET', message, 'rank', rank, 'at', to_text(now), ...)
    renew(message_id, retention)
    return read(message_id)
end

local function allowance_key(number, month)
    return prefix .. 'allowance:' .. month .. ':' .. number
end

-- Keep the charge if the message has none; return its count in the month.
function operations.note_charge(message_id, retention, at, number, country, category, type, month)
    go_on_when_full()
    local message = kept(message_id)
    local is_known = redis.call('HEXISTS', message, 'rank') == 1
    if not is_known or redis.call('HSETNX', message, 'charged_at', at) == 0 then
        return nil
    end
    local nth = 0
    if month ~= '' then
        nth = redis.call('INCR', allowance_key(number, month))
        expire(allowance_key(number, month), ALLOWANCE_KEPT)
    end
    redis.call('HSET', message, 'number', number, 'country', country, 'category', category,
        'type', type, 'month', month, 'nth', nth)
    redis.call('ZADD', prefix .. 'charges', at, message_id)
    redis.call('ZREMRANGEBYSCORE', prefix .. 'charges', '-inf', to_text(now - retention))
    expire(prefix .. 'charges', retention)
    return nth
end

function operations.charges(since, before)
    local found = {}
    local ids = redis.call('ZRANGEBYSCORE', prefix .. 'charges', since, '(' .. before)
    for _, message_id in ipairs(ids) do
        local message = kept(message_id)
        local fields = redis.call('HMGET', message, unpack(CHARGED_FIELDS))
        if fields[3] then
            table.insert(found, { message_id, unpack(fields, 1, #CHARGED_FIELDS) })
        end
    end
    return found
end

function operations.allowance_used(number, month)
    return redis.call('GET', allowance_key(number, month)) or 0
end

operations.get = read

function operations.by_key(key)
    local message_id = redis.call('GET', prefix .. 'key:' .. key)
    local sent = message_id and read(message_id)
    -- The id may have been recorded for another key since.
    return sent and sent[3] == key and sent
end

function operations.erase(recipient_id)
    local recipient = prefix .. 'recipient:' .. recipient_id
    local count = 0
    for _, message_id in ipairs(redis.call('ZRANGE', recipient, 0, -1)) do
        local sent = read(message_id)
        if sent and sent[4] == recipient_id then
            redis.call('DEL', message_key(message_id), body_key(message_id),
                prefix .. 'key:' .. sent[3])
            redis.call('ZREM', prefix .. 'charges', message_id)
            count = count + 1
        end
    end
    redis.call('DEL', recipient)
    return count
end
