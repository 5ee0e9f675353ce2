-- levels.lua: everything of one owner at one moment; writes nothing.
-- KEYS    levels · held · leases
-- ARGV    1 now
-- returns {now, {bucket, {state…}, …}, {id, deadline, seq, at, about, {bucket, kind, measure, amount, …}, …}}
local now = clock(ARGV[1])
local buckets, open = {}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] ~= '$seq' then
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
return { now, buckets, open }
