-- How many nodes share this store: notes that one is alive and counts those that were within a while.
-- KEYS[1] sorted set: node → when it was last here (ms) · ARGV[1] node, ARGV[2] that while (ms)
-- Returns the number of nodes, this one among them.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
