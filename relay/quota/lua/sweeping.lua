-- sweeping.lua: closes what is past its lease; put after laws.lua.
-- keys: {levels, held, leases, closed, lines} · returns the number closed. The owner's counter `$seq` may have moved.

-- Closed ids forgotten in one call: more than one call can add.
local FORGET = 64

local function sweep(keys, now, retain, lines, ttl)
  local over = redis.call('ZRANGEBYSCORE', keys[4], '-inf', text(now), 'LIMIT', 0, FORGET)
  if #over > 0 then
    redis.call('HDEL', keys[2], unpack(over))
    redis.call('ZREM', keys[4], unpack(over))
  end
  local late = redis.call('ZRANGEBYSCORE', keys[3], '-inf', text(now))
  if #late == 0 then return 0 end
  local owner = redis.call('HMGET', keys[1], '$seq', '$listen')
  local seq, slots = tonumber(owner[1] or 0), {}
  if not owner[1] then redis.call('HSET', keys[1], '$since', text(now)) end
  local keepLines = kept(lines, owner[2], now) >= EXPIRIES
  for _, id in ipairs(late) do
    local packed = redis.call('HGET', keys[2], id)
    redis.call('ZREM', keys[3], id)
    if packed then
      local held = unpacked(packed)
      local moves, taken = {}, held[6]
      for i = 1, #taken, 4 do
        local name, used = taken[i], taken[i + 3]
        if taken[i + 1] == SLOTS then
          slots[name] = (slots[name] or 0) + used
          used = 0
        end
        moves[#moves + 1] = name .. ' ' .. text(taken[i + 3]) .. ' ' .. text(used)
      end
      seq = seq + 1
      if keepLines then
        redis.call('XADD', keys[5], '*', 'kind', 'close', 'seq', text(seq), 'at', text(now), 'id', id, 'reason', 'expired', 'source', '',
          'actual', '', 'corrects', '0', 'takenAt', text(held[3]), 'takenSeq', text(held[2]), 'moves', table.concat(moves, ';'),
          'about', held[5])
      end
      held[1], held[4] = EXPIRED, now + retain
      redis.call('HSET', keys[2], id, pack(held))
      redis.call('ZADD', keys[4], text(now + retain), id)
    end
  end
  for name, amount in pairs(slots) do
    local packed = redis.call('HGET', keys[1], name)
    local bucket = packed and unpackBucket(packed)
    if apply(bucket, now, amount, 0) then redis.call('HSET', keys[1], name, packBucket(bucket)) end
  end
  redis.call('HSET', keys[1], '$seq', text(seq))
  for place = 1, 5 do redis.call('PEXPIRE', keys[place], ttl) end
  return #late
end
