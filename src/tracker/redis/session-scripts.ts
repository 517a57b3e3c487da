/**
 * What happens to one session at once, in Lua inside the engine. KEYS[1] is the base key of its bucket, ARGV[1]
 * the SessionID, except where said otherwise.
 *
 * Invariant, kept by each script: a session is in `heard` and `addresses` from its login until it is buried;
 * it lives while its own key is there and not doomed. One that expired or is doomed is in `heard` still, and so
 * is found by `silentSessions`, until its files have been left.
 */
import { SESSIONS_CHANNEL } from './catalog.js';

/** Milliseconds; longer than a silent peer is kept (KeepingLimits), since a session that expires is as good as dropped. */
const SESSION_TTL_MS = 3_600_000;

const PRELUDE = `
local base, id = KEYS[1], ARGV[1]
local heard = base .. ':heard'
local addresses = base .. ':addresses'
local session = base .. ':session:' .. id
local files = base .. ':files:' .. id
local function live()
  local known = redis.call('HMGET', session, 'address', 'proven', 'doomed')
  return known[1] and not known[3] and known
end
local function tell()
  local time = redis.call('TIME')
  local stamp = string.format('%.0f', time[1] * 1000000 + time[2])
  local text = string.match(base, '%d+') .. ' ' .. stamp .. ' ' .. redis.call('ZCARD', heard)
  redis.call('PUBLISH', '${SESSIONS_CHANNEL}', text)
  return text
end
`;

/** ARGV: session, now[, md5, stamp: of the file in its list, if it is there]. Address and proven halves, or nil. */
const VISIT = `${PRELUDE}
local known = live()
if not known then return nil end
redis.call('ZADD', heard, ARGV[2], id)
redis.call('PEXPIRE', session, ${SESSION_TTL_MS})
if ARGV[3] and redis.call('HEXISTS', files, ARGV[3]) == 1 then redis.call('HSET', files, ARGV[3], ARGV[4]) end
return {known[1], known[2]}
`;

/** Of a session that lives; nil else. Address and proven halves. */
const KNOW = `${PRELUDE}
local known = live()
return known and {known[1], known[2]} or nil
`;

/** ARGV: session, now, address, proven, network of the account ('' : none), most files of it. The bucket's line. */
const CREATE = `${PRELUDE}
if redis.call('ZSCORE', heard, id) then return 'SESSION_ID_TAKEN' end
redis.call('HSET', session, 'address', ARGV[3], 'proven', ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', session, 'account', ARGV[5], 'files', ARGV[6]) end
redis.call('PEXPIRE', session, ${SESSION_TTL_MS})
redis.call('HSET', addresses, id, ARGV[3] .. ARGV[5])
redis.call('ZADD', heard, ARGV[2], id)
return {tell()}
`;

/** ARGV: session, proven. All that is proven now, or nil. */
const PROVE = `${PRELUDE}
local known = live()
if not known then return nil end
local proven = bit.bor(tonumber(known[2]), tonumber(ARGV[2]))
redis.call('HSET', session, 'proven', proven)
return proven
`;

/**
 * ARGV: session, md5, stamp, most files. Whether the file was put into the list, what visit returns, the account ('' : none)
 * with the most files of it, and how many new files the list has had by now; or nil.
 */
const RESERVE = `${PRELUDE}
local known = live()
if not known then return nil end
local had = redis.call('HEXISTS', files, ARGV[2]) == 1
if not had and redis.call('HLEN', files) >= tonumber(ARGV[4]) then return {'FULL', known[1], known[2], '', '', 0} end
redis.call('HSET', files, ARGV[2], ARGV[3])
if not had then redis.call('HINCRBY', session, 'listed', 1) end
local of = redis.call('HMGET', session, 'account', 'files', 'listed')
return {had and 'HAD' or 'NEW', known[1], known[2], of[1] or '', of[2] or '', tonumber(of[3] or 0)}
`;

/** ARGV: session, md5, stamp: of the file in the list, if it is there. */
const STAMP = `${PRELUDE}
if redis.call('HEXISTS', files, ARGV[2]) == 1 then redis.call('HSET', files, ARGV[2], ARGV[3]) end
return 0
`;

/**
 * ARGV: session, md5, stamp. Takes the file from the list unless somebody put it there since. When it is not there any more:
 * the account that it may be counted for, and how many new files the list has had by now; else ''.
 */
const RELEASE = `${PRELUDE}
local stamp = redis.call('HGET', files, ARGV[2])
if stamp and stamp ~= ARGV[3] then return {'', 0} end
redis.call('HDEL', files, ARGV[2])
local of = redis.call('HMGET', session, 'account', 'listed')
return {of[1] or '', tonumber(of[2] or 0)}
`;

/** The files in the list, each with its stamp. */
const LIST_FILES = `${PRELUDE}
return redis.call('HGETALL', files)
`;

/** ARGV: session, since. 1: doomed now; 2: it was already, or has expired; 0: heard since, or unknown. */
const DOOM = `${PRELUDE}
local score = redis.call('ZSCORE', heard, id)
if not score then return 0 end
if not live() then return 2 end
if tonumber(score) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', session, 'doomed', 1)
return 1
`;

/** Dooms a session that owns nothing. 1: done; 0: it owns something; -1: it does not live. */
const DOOM_EMPTY = `${PRELUDE}
if not live() then return -1 end
if redis.call('HLEN', files) > 0 then return 0 end
redis.call('HSET', session, 'doomed', 1)
return 1
`;

/** The 60 bytes of the address it announced, and its account; nil when it is buried. */
const ADDRESS_OF = `${PRELUDE}
return redis.call('HGET', addresses, id)
`;

/** Of a session that does not live; the bucket's line. */
const BURY = `${PRELUDE}
redis.call('DEL', session, files)
redis.call('HDEL', addresses, id)
redis.call('ZREM', heard, id)
return tell()
`;

/** ARGV: '', since, limit. Of each session its id, last sign of life and, if it lives, address and proven halves. */
const SILENT = `${PRELUDE}
local found = {}
local silent = redis.call('ZRANGEBYSCORE', heard, '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #silent, 2 do
  local known = redis.call('HMGET', base .. ':session:' .. silent[i], 'address', 'proven', 'doomed')
  local lives = known[1] and not known[3]
  found[#found + 1] = {silent[i], silent[i + 1], lives and known[1] or '', lives and known[2] or ''}
end
return found
`;

/** The line of a bucket, unpublished. ARGV: ''. */
const DESCRIBE_BUCKET = `${PRELUDE}
local time = redis.call('TIME')
local stamp = string.format('%.0f', time[1] * 1000000 + time[2])
return string.match(base, '%d+') .. ' ' .. stamp .. ' ' .. redis.call('ZCARD', heard)
`;

/** KEYS[1] of an address. ARGV: the session expected there ('' : none), the new one. The one that is there now. */
const CLAIM_ADDRESS = `
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
`;

/** KEYS[1] of an address or of the keeper's lease. ARGV: whose. */
const GIVE_BACK = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** KEYS[1] of the generation. ARGV: a new one. The one that there is now. */
const NAME_GENERATION = `
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
`;

/** KEYS[1] of anything. ARGV: ''. */
const TRY_TO_WRITE = `
redis.call('SET', KEYS[1], 1, 'PX', 1)
return 1
`;

/** KEYS[1] of the lease. ARGV: whose, ms. Whether it is theirs. */
const LEASE = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Those that change something. */
export const SESSION_SCRIPTS = {
  visit: VISIT,
  createSession: CREATE,
  prove: PROVE,
  reserveFile: RESERVE,
  stampFile: STAMP,
  releaseFile: RELEASE,
  doom: DOOM,
  doomEmpty: DOOM_EMPTY,
  bury: BURY,
  claimAddress: CLAIM_ADDRESS,
  giveBack: GIVE_BACK,
  nameGeneration: NAME_GENERATION,
  tryToWrite: TRY_TO_WRITE,
  lease: LEASE,
};

/** Those that change nothing. */
export const SESSION_QUESTIONS = {
  know: KNOW,
  listFiles: LIST_FILES,
  addressOf: ADDRESS_OF,
  silent: SILENT,
  describeBucket: DESCRIBE_BUCKET,
};
