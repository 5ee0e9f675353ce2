-- sweep.lua: the sweep without a request, and the removal of buckets that say nothing (ended windows, free slots, rates full and idle).
-- KEYS    as in reserve.lua
-- ARGV    1 now · 2 retain · 3 lines kept · 4 life of the keys · 5 how long an ended window stays (µs) · 6 how long an idle rate does (µs)
-- returns the number of reservations closed
local now = clock(ARGV[1])
local closed = sweep(KEYS, now, tonumber(ARGV[2]), ARGV[3], ARGV[4])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] == '$listen' then
    if tonumber(all[i + 1]) <= now then redis.call('HDEL', KEYS[1], '$listen') end
  elseif string.sub(all[i], 1, 1) ~= '$' then
    local bucket = unpackBucket(all[i + 1])
    local idle
    if bucket[1] == RATE then
      idle = bucket[AT] + tonumber(ARGV[6]) <= now
      if idle then
        refill(bucket, now)
        idle = bucket[LEVEL] == bucket[BURST]
      end
    elseif bucket[1] == SLOTS then
      idle = bucket[2] == 0
    else
      idle = bucket[3] + tonumber(ARGV[5]) <= now
    end
    if idle then redis.call('HDEL', KEYS[1], all[i], BEGUN .. all[i]) end
  end
end
return closed
