//! The two scripts. Both are monotone or conditional: run late, twice or not at all, they never make an answer older (R7).

/// Stores an entry. KEYS = lease, entry, floor 1…n, marker 1…m; ARGV = token, entry, ttl in ms, n, version 1…n.
pub(super) const FILL: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local n = tonumber(ARGV[4])
for i = 1, n do
  local floor = redis.call('GET', KEYS[2 + i])
  if floor and tonumber(floor) > tonumber(ARGV[4 + i]) then return 0 end
end
for i = 3 + n, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[1])
return 1
";

/// Raises floors and takes markers away. KEYS = floor 1…n, marker 1…m; ARGV = nonce, floor ttl in ms, n, version 1…n.
/// Returns the nonce, so that the reply to another call is not taken for this one's (R20).
pub(super) const SETTLE: &str = r"
local n = tonumber(ARGV[3])
for i = 1, n do
  local floor = tonumber(redis.call('GET', KEYS[i]) or '0')
  if tonumber(ARGV[3 + i]) > floor then
    redis.call('SET', KEYS[i], ARGV[3 + i], 'PX', ARGV[2])
  else
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
end
for i = n + 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 and redis.call('DECR', KEYS[i]) <= 0 then redis.call('DEL', KEYS[i]) end
end
return ARGV[1]
";
