-- laws.lua: the arithmetic of buckets, put before each script that needs it. Integers in doubles, all below 2^53; why each product is:
-- bucket.ts, which does the same. A bucket is stored as doubles: rate {1, level, rem, at, burst, num, den} (micro-units, µs), slots
-- {2, used}, window {3, used, end}; a reservation in MessagePack: {state, seq, at, forgetAt, about, {bucket, kind, measure, amount, …},
-- {reply…}}. Beside a rate or a window stands since when it is what it is: new then (µs), or, negative, under another law.
local MICRO = 1000000
local MOST = 4503599627370496
local SAFE = 9007199254739968
local BEGUN = '$begun '
local OPEN, EXPIRED, CLOSED = 1, 2, 3
local RATE, SLOTS, WINDOW = 1, 2, 3
local LEVEL, REM, AT, BURST, NUM, DEN = 2, 3, 4, 5, 6, 7
local floor, max, min = math.floor, math.max, math.min
local pack, unpacked = cmsgpack.pack, cmsgpack.unpack

local function packBucket(bucket)
  if bucket[1] == RATE then
    return struct.pack('<ddddddd', RATE, bucket[LEVEL], bucket[REM], bucket[AT], bucket[BURST], bucket[NUM], bucket[DEN])
  end
  if bucket[1] == SLOTS then return struct.pack('<dd', SLOTS, bucket[2]) end
  return struct.pack('<ddd', WINDOW, bucket[2], bucket[3])
end

local function unpackBucket(packed)
  if #packed == 56 then
    local kind, level, rem, at, burst, num, den = struct.unpack('<ddddddd', packed)
    return { kind, level, rem, at, burst, num, den }
  end
  if #packed == 16 then return { SLOTS, (select(2, struct.unpack('<dd', packed))) } end
  local kind, used, last = struct.unpack('<ddd', packed)
  return { kind, used, last }
end

-- Which lines are kept: 0 none · 1 of ended leases · 2 all. All of them too while an auditor listens: until `$listen` (µs).
local EXPIRIES, ALL = 1, 2
local function kept(mode, listen, now)
  if listen and tonumber(listen) > now then return ALL end
  return tonumber(mode)
end

-- Lua prints large numbers with an exponent; Redis must get digits.
local function text(number) return string.format('%.0f', number) end

-- µs of the server's clock; a test gives its own.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * MICRO + time[2]
end

local function settled(bucket)
  if bucket[LEVEL] >= bucket[BURST] then
    bucket[LEVEL] = bucket[BURST]
    bucket[REM] = 0
  end
end

local function refill(bucket, now)
  local elapsed = now - bucket[AT]
  if elapsed <= 0 then return end
  bucket[AT] = now
  local num, den = bucket[NUM], bucket[DEN]
  local turns = floor(elapsed / den)
  if turns > floor((bucket[BURST] - bucket[LEVEL]) / num) then
    bucket[LEVEL] = bucket[BURST]
    bucket[REM] = 0
    return
  end
  local part = (elapsed - turns * den) * num + bucket[REM]
  local whole = floor(part / den)
  bucket[LEVEL] = bucket[LEVEL] + turns * num + whole
  bucket[REM] = part - whole * den
  settled(bucket)
end

local function move(bucket, micro)
  bucket[LEVEL] = max(bucket[LEVEL] + micro, -MOST)
  settled(bucket)
end

-- Refilled under its law until now, then under the new one with what was used still used. True if the law had changed.
local function adopt(bucket, burst, num, den, now)
  refill(bucket, now)
  if bucket[BURST] == burst and bucket[NUM] == num and bucket[DEN] == den then return false end
  if bucket[NUM] ~= num or bucket[DEN] ~= den then bucket[REM] = 0 end
  bucket[LEVEL] = max(burst - (bucket[BURST] - bucket[LEVEL]), -MOST)
  bucket[BURST], bucket[NUM], bucket[DEN] = burst, num, den
  return true
end

-- µs until a refilled bucket has reached a level.
local function wait(bucket, level, now)
  local short = level - bucket[LEVEL]
  if short <= 0 then return 0 end
  local num, den = bucket[NUM], bucket[DEN]
  local turns = floor(short / num)
  if turns > floor(MOST / den) then return MOST end
  local rest = (short - turns * num) * den - bucket[REM]
  return turns * den - floor(-rest / num) + max(0, bucket[AT] - now)
end

-- Replaces what was reserved of a bucket by what was used. False: there is no such bucket any more.
local function apply(bucket, now, reserved, used)
  if not bucket then return false end
  if bucket[1] == RATE then
    refill(bucket, now)
    move(bucket, (reserved - used) * MICRO)
  else
    bucket[2] = min(bucket[2] - reserved + used, SAFE)
  end
  return true
end
