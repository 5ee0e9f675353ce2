-- settle.lua: replaces what one reservation took by what was used, once; closes its id.
-- KEYS    as in reserve.lua
-- ARGV    1 now · 2 retain · 3 lines kept · 4 life of the keys · 5 id · 6 reason · 7 source ('' = nobody counted) · 8 about ·
--         9–13 used per measure, in the order of MEASURES (concurrency 0)
-- returns 0 settled · 1 corrected what its lease had booked · 2 closed before, nothing changed · 3 unknown: closed now, no level changed
local now = clock(ARGV[1])
local retain, keepLines, ttl, id, reason = tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6]

local packed = redis.call('HGET', KEYS[2], id)
local held = packed and unpacked(packed)
if held and held[1] ~= OPEN and held[4] <= now then held = nil end
if held and held[1] == CLOSED then return 2 end
local corrects = held and held[1] == EXPIRED

local moves, writes = {}, {}
local taken = held and held[6] or {}
for i = 1, #taken, 4 do
  local name, kind, reserved = taken[i], taken[i + 1], taken[i + 3]
  if not (kind == SLOTS and corrects) then
    local used = tonumber(ARGV[8 + taken[i + 2]])
    local state = redis.call('HGET', KEYS[1], name)
    local bucket = state and unpacked(state)
    if apply(bucket, now, reserved, used) then
      writes[#writes + 1] = name
      writes[#writes + 1] = pack(bucket)
    end
    moves[#moves + 1] = name .. ' ' .. text(reserved) .. ' ' .. text(used)
  end
end

if held or reason ~= 'released' then
  local seq = tonumber(redis.call('HGET', KEYS[1], '$seq') or 0) + 1
  writes[#writes + 1] = '$seq'
  writes[#writes + 1] = text(seq)
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
for _, place in ipairs({ 1, 2, 4, 5 }) do redis.call('PEXPIRE', KEYS[place], ttl) end
if not held then return 3 end
return corrects and 1 or 0
