/**
 * What happens to one file at once, in Lua inside the engine. KEYS[1] is the file's base key.
 *
 * Invariant, kept by each script: an owner is in `owners`, and has a part list exactly when it is of kind I;
 * `sources` and `incomplete` count the owners of those kinds; a file without owners has no key at all. Whoever
 * changes what the catalog knows of a file publishes its line, and returns it, so that the process that asked
 * knows at once.
 */
import { FILES_CHANNEL } from './catalog.js';

const PRELUDE = `
local file = KEYS[1]
local owners = file .. ':owners'
local leaving = file .. ':leaving'
local rest = file .. ':rest'
local function partsOf(session) return file .. ':parts:' .. session end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function line()
  local head = string.sub(file, 5, 36) .. ' ' .. string.format('%.0f', now()) .. ' '
  local known = redis.call('HMGET', file, 'size', 'part', 'incomplete', 'name')
  if not known[1] then return head .. '0' end
  local count = redis.call('HLEN', owners)
  return head .. count .. ' ' .. known[3] .. ' ' .. known[1] .. ' ' .. known[2] .. ' ' .. known[4]
end
local function tell()
  local text = line()
  redis.call('PUBLISH', '${FILES_CHANNEL}', text)
  return text
end
`;

/** How many parts are owned by others who are not leaving. */
const SAFE = `
local function safe(session, count)
  local gone = {[session] = true}
  local marks = redis.call('HGETALL', leaving)
  local ms = now() / 1000
  for i = 1, #marks, 2 do
    if tonumber(marks[i + 1]) > ms then gone[marks[i]] = true end
  end
  local all = redis.call('HGETALL', owners)
  local lists = {}
  for i = 1, #all, 2 do
    if not gone[all[i]] then
      if string.sub(all[i + 1], 1, 1) ~= 'I' then return count end
      lists[#lists + 1] = partsOf(all[i])
    end
  end
  if #lists == 0 then return 0 end
  for i = 1, #lists, 500 do
    redis.call('BITOP', 'OR', rest, rest, unpack(lists, i, math.min(i + 499, #lists)))
  end
  local owned = redis.call('BITCOUNT', rest)
  redis.call('DEL', rest)
  return owned
end
`;

/** ARGV: session, record ('' : only if it is an owner already), size, part size, part count, name, may create, may own. */
const ADD_SOURCE = `${PRELUDE}
local session, record, size, name = ARGV[1], ARGV[2], ARGV[3], ARGV[6]
local known = redis.call('HMGET', file, 'size', 'count', 'name', 'sources')
if known[1] and known[1] ~= size then return 'OTHER_SIZE' end
if not known[1] and ARGV[7] == '0' then return 'FILES_FULL' end
local mine = redis.call('HGET', owners, session)
if not mine and record == '' then return 'NO_OWNER' end
if not mine and ARGV[8] == '0' then return 'OWNERSHIPS_FULL' end
if not known[1] then
  redis.call('HSET', file, 'size', size, 'part', ARGV[4], 'count', ARGV[5], 'name', name, 'sources', 0, 'incomplete', 0)
  known = {size, ARGV[5], name, '0'}
end
local kind = mine and string.sub(mine, 1, 1)
local renamed = name ~= known[3] and (known[4] == '0' or kind == 'S')
if renamed then redis.call('HSET', file, 'name', name) end
if kind ~= 'S' then
  if kind == 'I' then
    redis.call('DEL', partsOf(session))
    redis.call('HINCRBY', file, 'incomplete', -1)
  end
  redis.call('HSET', owners, session, 'S' .. (mine and string.sub(mine, 2) or record))
  redis.call('HINCRBY', file, 'sources', 1)
end
return {tonumber(known[2]), (renamed or not mine or kind == 'I') and tell() or ''}
`;

/** ARGV: session, record ('' : only if it is an owner already), part, may own, bytes left for part lists. */
const ADD_PART = `${PRELUDE}
local session, record, part = ARGV[1], ARGV[2], tonumber(ARGV[3])
local count = tonumber(redis.call('HGET', file, 'count'))
if not count then return 'UNKNOWN_FILE' end
if part >= count then return 'PART_OUT_OF_RANGE' end
local mine = redis.call('HGET', owners, session)
local changed = false
if not mine then
  if record == '' then return 'NO_OWNER' end
  if ARGV[4] == '0' then return 'OWNERSHIPS_FULL' end
  if math.ceil(count / 8) > tonumber(ARGV[5]) then return 'PART_LISTS_FULL' end
  mine = 'I' .. record
  redis.call('HSET', owners, session, mine)
  redis.call('HINCRBY', file, 'incomplete', 1)
  redis.call('SETBIT', partsOf(session), count - 1, 0)
  changed = true
elseif string.sub(mine, 1, 1) ~= 'I' then
  return {count, ''}
end
redis.call('SETBIT', partsOf(session), part, 1)
local owned = redis.call('BITCOUNT', partsOf(session))
if owned == count then
  redis.call('DEL', partsOf(session))
  redis.call('HSET', owners, session, 'C' .. string.sub(mine, 2))
  redis.call('HINCRBY', file, 'incomplete', -1)
  changed = true
end
return {owned, changed and tell() or ''}
`;

/**
 * ARGV: session; '1' for a logout, which a source is refused with UNSAFE unless its mark still holds or others own every
 * part, and which is told what REJOIN needs to undo it: its kind and record, part list, and of the file size, part size,
 * part count and name.
 */
const LEAVE = `${PRELUDE}${SAFE}
local session = ARGV[1]
local count = tonumber(redis.call('HGET', file, 'count'))
if not count then return 'UNKNOWN_FILE' end
local mine = redis.call('HGET', owners, session)
if not mine then return {0, ''} end
local kind = string.sub(mine, 1, 1)
local known = redis.call('HMGET', file, 'size', 'part', 'count', 'name')
local parts = kind == 'I' and redis.call('GET', partsOf(session)) or ''
if ARGV[2] == '1' and kind == 'S' then
  local mark = tonumber(redis.call('HGET', leaving, session))
  if not (mark and mark > now() / 1000) and safe(session, count) < count then return 'UNSAFE' end
end
local owned = count
if kind == 'S' then redis.call('HINCRBY', file, 'sources', -1) end
if kind == 'I' then
  owned = redis.call('BITCOUNT', partsOf(session))
  redis.call('DEL', partsOf(session))
  redis.call('HINCRBY', file, 'incomplete', -1)
end
redis.call('HDEL', owners, session)
redis.call('HDEL', leaving, session)
if redis.call('EXISTS', owners) == 0 then redis.call('DEL', file, leaving) end
if ARGV[2] ~= '1' then return {owned, tell()} end
return {owned, tell(), mine, parts, known[1], known[2], known[3], known[4]}
`;

/**
 * ARGV: session, and what LEAVE told it. It owns that again, and what it told since; the line. A file that is gone
 * meanwhile comes back.
 */
const REJOIN = `${PRELUDE}
local session, mine, parts = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', file) == 0 then
  redis.call('HSET', file, 'size', ARGV[4], 'part', ARGV[5], 'count', ARGV[6], 'name', ARGV[7], 'sources', 0, 'incomplete', 0)
end
local before = redis.call('HGET', owners, session)
local had = before and string.sub(before, 1, 1)
local kind = string.sub(mine, 1, 1)
if had == 'S' or (had == 'C' and kind ~= 'S') then return tell() end
if had == 'I' and kind == 'I' then
  redis.call('SET', rest, parts)
  redis.call('BITOP', 'OR', partsOf(session), partsOf(session), rest)
  redis.call('DEL', rest)
else
  if had == 'I' then
    redis.call('DEL', partsOf(session))
    redis.call('HINCRBY', file, 'incomplete', -1)
  end
  if kind == 'I' then
    redis.call('SET', partsOf(session), parts)
    redis.call('HINCRBY', file, 'incomplete', 1)
  end
  if kind == 'S' then redis.call('HINCRBY', file, 'sources', 1) end
  redis.call('HSET', owners, session, mine)
end
local count = tonumber(redis.call('HGET', file, 'count'))
if kind == 'I' and redis.call('BITCOUNT', partsOf(session)) == count then
  redis.call('DEL', partsOf(session))
  redis.call('HSET', owners, session, 'C' .. string.sub(mine, 2))
  redis.call('HINCRBY', file, 'incomplete', -1)
end
return tell()
`;

/** ARGV: session, ms. Of a source: how many parts there are and how many are safe; marked when all are. */
const MARK_LEAVING = `${PRELUDE}${SAFE}
local session = ARGV[1]
local mine = redis.call('HGET', owners, session)
if not mine or string.sub(mine, 1, 1) ~= 'S' then return {0, 0} end
local count = tonumber(redis.call('HGET', file, 'count'))
local owned = safe(session, count)
if owned == count then
  redis.call('HSET', leaving, session, string.format('%.0f', now() / 1000 + ARGV[2]))
  redis.call('PEXPIRE', leaving, ARGV[2])
end
return {count, owned}
`;

/** ARGV: session. */
const UNMARK_LEAVING = `${PRELUDE}
return redis.call('HDEL', leaving, ARGV[1])
`;

/** ARGV: session, record. */
const SET_RECORD = `${PRELUDE}
local mine = redis.call('HGET', owners, ARGV[1])
if mine then redis.call('HSET', owners, ARGV[1], string.sub(mine, 1, 1) .. ARGV[2]) end
return 0
`;

/** ARGV: session. The part count, then of each other owner its kind and record, and its part list. */
const OWNERS = `${PRELUDE}
local count = redis.call('HGET', file, 'count')
if not count then return 'UNKNOWN_FILE' end
local all = redis.call('HGETALL', owners)
local found = {count}
for i = 1, #all, 2 do
  if all[i] ~= ARGV[1] then
    found[#found + 1] = all[i + 1]
    found[#found + 1] = string.sub(all[i + 1], 1, 1) == 'I' and redis.call('GET', partsOf(all[i])) or ''
  end
end
return found
`;

/** The sessions of all owners. */
const LIST_OWNERS = `${PRELUDE}
return redis.call('HKEYS', owners)
`;

/** The file's line. */
const DESCRIBE_FILE = `${PRELUDE}
return line()
`;

/** Those that change something. */
export const FILE_SCRIPTS = {
  addSource: ADD_SOURCE,
  addPart: ADD_PART,
  leaveFile: LEAVE,
  rejoinFile: REJOIN,
  markLeaving: MARK_LEAVING,
  unmarkLeaving: UNMARK_LEAVING,
  setRecord: SET_RECORD,
};

/** Those that change nothing. */
export const FILE_QUESTIONS = {
  owners: OWNERS,
  listOwners: LIST_OWNERS,
  describeFile: DESCRIBE_FILE,
};
