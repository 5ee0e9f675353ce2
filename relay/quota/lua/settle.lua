-- settle.lua: replaces what one reservation took by what was used, once; closes its id.
-- KEYS    as in reserve.lua
-- ARGV    1 now · 2 retain · 3 lines kept · 4 life of the keys · 5 id · 6 reason · 7 source ('' = nobody counted) · 8 about ·
--         9–13 used per measure, in the order of MEASURES (concurrency 0)
-- returns 0 settled · 1 corrected what its lease had booked · 2 closed before, nothing changed · 3 unknown: closed now, no level changed
local now = clock(ARGV[1])
local retain, ttl, id, reason = tonumber(ARGV[2]), ARGV[4], ARGV[5], ARGV[6]

local packed = redis.call('HGET', KEYS[2], id)
local held = packed and unpacked(packed)
if held and held[1] ~= OPEN and held[4] <= now then held = nil end
if held and held[1] == CLOSED then return 2 end
local corrects = held and held[1] == EXPIRED

local taken = held and held[6] or {}
local names = { '$seq', '$listen' }
for i = 1, #taken, 4 do names[#names + 1] = taken[i] end
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local keepLines = kept(ARGV[3], stored[2], now) == ALL

local moves, writes = {}, {}
for i = 1, #taken, 4 do
  local name, kind, reserved = taken[i], taken[i + 1], taken[i + 3]
  if not (kind == SLOTS and corrects) then
    local used = tonumber(ARGV[8 + taken[i + 2]])
    local state = stored[(i + 11) / 4]
    local bucket = state and unpackBucket(state)
    if apply(bucket, now, reserved, used) then
      writes[#writes + 1] = name
      writes[#writes + 1] = packBucket(bucket)
    end
    if keepLines then moves[#moves + 1] = name .. ' ' .. text(reserved) .. ' ' .. text(used) end
  end
end

if held or reason ~= 'released' then
  local seq = tonumber(stored[1] or 0) + 1
  writes[#writes + 1] = '$seq'
  writes[#writes + 1] = text(seq)
  if not stored[1] then
    writes[#writes + 1] = '$since'
    writes[#writes + 1] = text(now)
  end
  redis.call('HSET', KEYS[1], unpack(writes))
  if keepLines then
    redis.call('XADD', KEYS[5], '*', 'kind', 'close', 'seq', text(seq), 'at', text(now), 'id', id, 'reason', reason, 'source', ARGV[7],
      'actual', ARGV[9] .. ' ' .. ARGV[10] .. ' ' .. ARGV[12] .. ' ' .. ARGV[13], 'corrects', corrects and '1' or '0',
      'takenAt', text(held and held[3] or 0), 'takenSeq', text(held and held[2] or 0), 'moves', table.concat(moves, ';'), 'about', ARGV[8])
  end
end
redis.call('HSET', KEYS[2], id, pack({ CLOSED, 0, 0, now + retain }))
redis.call('ZREM', KEYS[3], id)
redis.call('ZADD', KEYS[4], text(now + retain), id)
-- What a known reservation touches has its life from reserve.lua already.
for place = held and 4 or 1, 5 do redis.call('PEXPIRE', KEYS[place], ttl) end
if not held then return 3 end
return corrects and 1 or 0
