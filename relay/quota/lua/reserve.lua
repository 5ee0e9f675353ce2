-- reserve.lua: all demands of one request, or none.
-- KEYS    levels (hash: bucket → state, `$seq`) · held (hash: id → reservation) · leases (zset: open id → deadline) ·
--         closed (zset: closed id → when forgotten) · lines (stream)
-- ARGV    1 now (µs; '' = the server's clock) · 2 retain (µs) · 3 lines kept (1, 0) · 4 life of the keys (ms) · 5 id · 6 lease (µs) ·
--         7 about · then per demand: bucket, kind, measure, amount, a, b, c, seed (plan.ts)
-- returns {code, now, index, wait, (what is left, µs until full) per demand}; codes in plan.ts
-- A refusal writes the sweep, changed laws and windows rebuilt from the books, and nothing of its own.
local now = clock(ARGV[1])
local retain, keepLines, ttl, id = tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], ARGV[5]

local known = redis.call('HGET', KEYS[2], id)
if known then
  local held = unpacked(known)
  if held[1] == OPEN or held[4] > now then
    if held[1] == CLOSED then return { 3, now, 0, 0 } end
    return { 0, now, 0, 0, unpack(held[7]) }
  end
end

local names, demands = { '$seq' }, {}
for i = 8, #ARGV, 8 do
  demands[#demands + 1] = {
    name = ARGV[i], kind = tonumber(ARGV[i + 1]), measure = tonumber(ARGV[i + 2]), amount = tonumber(ARGV[i + 3]),
    a = tonumber(ARGV[i + 4]), b = tonumber(ARGV[i + 5]), c = tonumber(ARGV[i + 6]), seed = tonumber(ARGV[i + 7]),
  }
  names[#names + 1] = ARGV[i]
end

sweep(KEYS, now, retain, keepLines, ttl)
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local seq = tonumber(stored[1] or 0)

for place, demand in ipairs(demands) do
  if demand.kind == WINDOW then
    if now < demand.b or now >= demand.c then return { 4, now, place, 0 } end
    if demand.seed < 0 and not stored[place + 1] then return { 5, now, place, 0 } end
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

local tooLarge, shortest, longest = nil, nil, 0
for place, demand in ipairs(demands) do
  local packed = stored[place + 1]
  local waiting = 0
  demand.fresh = not packed
  if demand.kind == RATE then
    demand.need = demand.amount * MICRO
    if packed then
      demand.bucket = unpacked(packed)
      demand.changed = adopt(demand.bucket, demand.a, demand.b, demand.c, now)
    else
      demand.bucket = { RATE, demand.a, 0, now, demand.a, demand.b, demand.c }
    end
    waiting = wait(demand.bucket, demand.need, now)
  else
    demand.need = demand.amount
    if packed then
      demand.bucket = unpacked(packed)
    elseif demand.kind == SLOTS then
      demand.bucket = { SLOTS, 0 }
    else
      demand.bucket = { WINDOW, demand.seed, demand.c }
      demand.changed = true
    end
    local short = demand.amount - (demand.a - demand.bucket[2])
    if short > 0 then waiting = demand.kind == SLOTS and slotsWait(demand.name, short) or demand.c - now end
  end
  if demand.need > demand.a and not tooLarge then tooLarge = place end
  if waiting > longest then shortest, longest = place, waiting end
end

local admitted = not tooLarge and not shortest
local writes, reply, taken = {}, {}, {}
for _, demand in ipairs(demands) do
  local bucket = demand.bucket
  if demand.changed or (admitted and demand.fresh and demand.kind == RATE) then
    seq = seq + 1
    if keepLines and demand.kind == RATE then
      redis.call('XADD', KEYS[5], '*', 'kind', 'rate', 'seq', text(seq), 'at', text(now), 'bucket', demand.name,
        'fresh', demand.fresh and '1' or '0', 'burst', text(demand.a), 'num', text(demand.b), 'den', text(demand.c))
    elseif keepLines then
      redis.call('XADD', KEYS[5], '*', 'kind', 'window', 'seq', text(seq), 'at', text(now), 'bucket', demand.name,
        'used', text(bucket[2]), 'endUs', text(demand.c))
    end
  end
  if admitted then
    if demand.kind == RATE then move(bucket, -demand.need) else bucket[2] = bucket[2] + demand.amount end
    taken[#taken + 1] = demand.name
    taken[#taken + 1] = demand.kind
    taken[#taken + 1] = demand.measure
    taken[#taken + 1] = demand.amount
  end
  if admitted or demand.changed then
    writes[#writes + 1] = demand.name
    writes[#writes + 1] = pack(bucket)
  end
  if demand.kind == RATE then
    reply[#reply + 1] = floor(bucket[LEVEL] / MICRO)
    reply[#reply + 1] = wait(bucket, bucket[BURST], now)
  else
    reply[#reply + 1] = demand.a - bucket[2]
    reply[#reply + 1] = demand.kind == SLOTS and 0 or demand.c - now
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
  redis.call('HSET', KEYS[1], unpack(writes))
  for place = 1, 3 do redis.call('PEXPIRE', KEYS[place], ttl) end
  redis.call('PEXPIRE', KEYS[5], ttl)
end
if tooLarge then return { 2, now, tooLarge, 0, unpack(reply) } end
if shortest then return { 1, now, shortest, longest, unpack(reply) } end
return { 0, now, 0, 0, unpack(reply) }
