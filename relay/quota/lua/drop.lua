-- drop.lua: removes lines that are in the books; none while an auditor listens, who needs them whole.
-- KEYS    levels · lines (stream)
-- ARGV    1 now · then the lines' ids
-- returns the number removed
local listen = redis.call('HGET', KEYS[1], '$listen')
if listen and tonumber(listen) > clock(ARGV[1]) then return 0 end
local removed = 0
for first = 2, #ARGV, 1000 do removed = removed + redis.call('XDEL', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV))) end
return removed
