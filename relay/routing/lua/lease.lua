-- lease.lua: renews or ends a lease, for the one who holds it only.
-- KEYS    the lease
-- ARGV    1 the holder's value · 2 from now on (ms); 0 ends it
-- returns 1; 0: it has run out, and may be another one's by now
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
