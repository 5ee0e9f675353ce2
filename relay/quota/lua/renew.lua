-- renew.lua: extends the leases of open reservations, never shortens one.
-- KEYS    leases (zset)
-- ARGV    1 now · 2 life of the key (ms) · 3 lease (µs) · then ids
-- returns the places (from 1, among the ids) of those that are not open
local deadline = clock(ARGV[1]) + tonumber(ARGV[3])
local lost = {}
for i = 4, #ARGV do
  local before = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if not before then
    lost[#lost + 1] = i - 3
  elseif tonumber(before) < deadline then
    redis.call('ZADD', KEYS[1], text(deadline), ARGV[i])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return lost
