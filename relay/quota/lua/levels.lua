-- levels.lua: everything of one owner at one moment. Writes nothing but, if asked to, until when all lines are kept.
-- KEYS    levels · held · leases
-- ARGV    1 now · 2 keep all lines for so long (µs; '' = as it is, 0 = no longer) · 3 life of the keys (ms)
-- returns {now, {bucket, {state…}, …}, {id, deadline, seq, at, about, {bucket, kind, measure, amount, …}, …}, seq, since,
-- {bucket, begun, …}}
local now = clock(ARGV[1])
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[1], '$listen')
elseif ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], '$listen', text(now + tonumber(ARGV[2])))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local buckets, open, own, begun = {}, {}, {}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #BEGUN) == BEGUN then
    begun[#begun + 1] = string.sub(all[i], #BEGUN + 1)
    begun[#begun + 1] = tonumber(all[i + 1])
  elseif string.sub(all[i], 1, 1) == '$' then
    own[all[i]] = tonumber(all[i + 1])
  else
    buckets[#buckets + 1] = all[i]
    buckets[#buckets + 1] = unpackBucket(all[i + 1])
  end
end
local leases = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
for i = 1, #leases, 2 do
  local packed = redis.call('HGET', KEYS[2], leases[i])
  if packed then
    local held = unpacked(packed)
    for _, value in ipairs({ leases[i], tonumber(leases[i + 1]), held[2], held[3], held[5], held[6] }) do open[#open + 1] = value end
  end
end
return { now, buckets, open, own['$seq'] or 0, own['$since'] or 0, begun }
