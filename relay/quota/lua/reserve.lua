-- reserve.lua: all demands of one request, or none.
-- KEYS    levels (hash: bucket → state, `$begun <bucket>` (laws.lua), `$seq`, `$since`, `$listen`) · held (hash: id → reservation) · leases (zset: open id → deadline) ·
--         closed (zset: closed id → when forgotten) · lines (stream)
-- ARGV    1 now (µs; '' = the server's clock) · 2 retain (µs) · 3 lines kept (laws.lua) · 4 life of the keys (ms) · 5 id · 6 lease (µs) ·
--         7 about · 8 the demands: JSON of [bucket, kind, measure, amount, a, b, c, seed] each (plan.ts)
-- returns {code, now, index, wait, (what is left, µs until full) per demand}; codes in plan.ts
-- A refusal writes the sweep, changed laws and windows rebuilt from the books, and nothing of its own.
local now = clock(ARGV[1])
local retain, ttl, id = tonumber(ARGV[2]), ARGV[4], ARGV[5]

local known = redis.call('HGET', KEYS[2], id)
if known then
  local held = unpacked(known)
  if held[1] == OPEN or held[4] > now then
    if held[1] == CLOSED then return { 3, now, 0, 0 } end
    held[7][2] = now
    return held[7]
  end
end

-- One argument for all demands: a number costs more to hand over than to read.
local demands = cjson.decode(ARGV[8])
local NAME, KIND, MEASURE, AMOUNT, A, B, C, SEED = 1, 2, 3, 4, 5, 6, 7, 8
local names = { '$seq', '$listen' }
for place, demand in ipairs(demands) do names[place + 2] = demand[NAME] end

sweep(KEYS, now, retain, ARGV[3], ttl)
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local seq = tonumber(stored[1] or 0)
local keepLines = kept(ARGV[3], stored[2], now) == ALL

for place, demand in ipairs(demands) do
  if demand[KIND] == WINDOW then
    if now < demand[B] or now >= demand[C] then return { 4, now, place, 0 } end
    if demand[SEED] < 0 and not stored[place + 2] then return { 5, now, place, 0 } end
  end
end

-- Nobody knows when a call ends, but no lease holds longer than this unless it is renewed. Looks at the next 128.
local function slotsWait(name, short)
  local leases = redis.call('ZRANGE', KEYS[3], 0, 127, 'WITHSCORES')
  local freed = 0
  for i = 1, #leases, 2 do
    local held = redis.call('HGET', KEYS[2], leases[i])
    local taken = held and unpacked(held)[6] or {}
    for j = 1, #taken, 4 do
      if taken[j] == name then freed = freed + taken[j + 3] end
    end
    if freed >= short then return tonumber(leases[i + 1]) - now end
  end
  local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
  return (last[2] and tonumber(last[2]) or MOST) - now
end

-- Each bucket as it is now, and whether it must be written even if nothing is taken: its law changed, or its window was rebuilt.
local buckets, changed = {}, {}
local tooLarge, shortest, longest = nil, nil, 0
for place, demand in ipairs(demands) do
  local packed, kind, need, a = stored[place + 2], demand[KIND], demand[AMOUNT], demand[A]
  local bucket = packed and unpackBucket(packed)
  local waiting = 0
  if kind == RATE then
    need = need * MICRO
    if bucket then
      changed[place] = adopt(bucket, a, demand[B], demand[C], now)
    else
      bucket = { RATE, a, 0, now, a, demand[B], demand[C] }
    end
    waiting = wait(bucket, need, now)
  else
    if not bucket then
      bucket = kind == SLOTS and { SLOTS, 0 } or { WINDOW, demand[SEED], demand[C] }
      changed[place] = kind == WINDOW
    end
    local short = need - (a - bucket[2])
    if short > 0 then waiting = kind == SLOTS and slotsWait(demand[NAME], short) or demand[C] - now end
  end
  buckets[place] = bucket
  if need > a and not tooLarge then tooLarge = place end
  if waiting > longest then shortest, longest = place, waiting end
end

local admitted = not tooLarge and not shortest
local writes, taken = {}, {}
local reply = { 0, now, 0, 0 }
for place, demand in ipairs(demands) do
  local bucket, kind, name, amount = buckets[place], demand[KIND], demand[NAME], demand[AMOUNT]
  local begins = admitted and kind == RATE and not stored[place + 2]
  if changed[place] or begins then
    seq = seq + 1
    if keepLines and kind == RATE then
      redis.call('XADD', KEYS[5], '*', 'kind', 'rate', 'seq', text(seq), 'at', text(now), 'bucket', name,
        'fresh', begins and '1' or '0', 'burst', text(demand[A]), 'num', text(demand[B]), 'den', text(demand[C]))
    elseif keepLines then
      redis.call('XADD', KEYS[5], '*', 'kind', 'window', 'seq', text(seq), 'at', text(now), 'bucket', name,
        'used', text(bucket[2]), 'endUs', text(demand[C]))
    end
    redis.call('PEXPIRE', KEYS[5], ttl)
    writes[#writes + 1] = BEGUN .. name
    writes[#writes + 1] = text((begins or kind == WINDOW) and now or -now)
  end
  if admitted then
    if kind == RATE then move(bucket, -amount * MICRO) else bucket[2] = bucket[2] + amount end
    local last = #taken
    taken[last + 1], taken[last + 2], taken[last + 3], taken[last + 4] = name, kind, demand[MEASURE], amount
  end
  if admitted or changed[place] then
    writes[#writes + 1] = name
    writes[#writes + 1] = packBucket(bucket)
  end
  if kind == RATE then
    reply[#reply + 1] = floor(bucket[LEVEL] / MICRO)
    reply[#reply + 1] = wait(bucket, bucket[BURST], now)
  else
    reply[#reply + 1] = demand[A] - bucket[2]
    reply[#reply + 1] = kind == SLOTS and 0 or demand[C] - now
  end
end

if admitted then
  seq = seq + 1
  redis.call('HSET', KEYS[2], id, pack({ OPEN, seq, now, 0, ARGV[7], taken, reply }))
  redis.call('ZADD', KEYS[3], text(now + tonumber(ARGV[6])), id)
  if known then redis.call('ZREM', KEYS[4], id) end
end
if admitted or #writes > 0 then
  writes[#writes + 1] = '$seq'
  writes[#writes + 1] = text(seq)
  if not stored[1] then
    writes[#writes + 1] = '$since'
    writes[#writes + 1] = text(now)
  end
  redis.call('HSET', KEYS[1], unpack(writes))
  for place = 1, 3 do redis.call('PEXPIRE', KEYS[place], ttl) end
end
if tooLarge then
  reply[1], reply[3] = 2, tooLarge
elseif shortest then
  reply[1], reply[3], reply[4] = 1, shortest, longest
end
return reply
