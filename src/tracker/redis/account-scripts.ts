/**
 * What the sessions of one network hold together, in Lua inside the engine. KEYS[1] is the account's base key, ARGV[1] the
 * SessionID.
 *
 * Invariant, kept by each script: `KEYS[1]:files` is the sum of what the sessions in KEYS[1] are counted for, which are the
 * files in `KEYS[1]:files:SESSION`; and none of these keys is there when no session is. A file is counted once, however often
 * it is asked for: with it is kept as which of its session's new files it was counted last, so that what was given up before
 * is not taken from the count of one that came again since.
 */
const PRELUDE = `
local account, session = KEYS[1], ARGV[1]
local files = account .. ':files'
local own = files .. ':' .. session
`;

/** ARGV: session, most sessions. Whether it is counted from now on. */
const JOIN = `${PRELUDE}
if redis.call('HEXISTS', account, session) == 1 then return 1 end
if redis.call('HLEN', account) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', account, session, 0)
return 1
`;

/** Nothing happens when it is not counted. */
const QUIT = `${PRELUDE}
local owned = redis.call('HGET', account, session)
if not owned then return 0 end
redis.call('HDEL', account, session)
redis.call('DEL', own)
if redis.call('EXISTS', account) == 0 then redis.call('DEL', files) else redis.call('DECRBY', files, owned) end
return 1
`;

/** ARGV: session, most files of all sessions, md5, listed. Whether it may own that file, which counts then; who is not counted may. */
const COUNT_FILE = `${PRELUDE}
if redis.call('HEXISTS', account, session) == 0 then return 1 end
local listed = redis.call('HGET', own, ARGV[3])
if not listed then
  if tonumber(redis.call('GET', files) or 0) >= tonumber(ARGV[2]) then return 0 end
  redis.call('INCR', files)
  redis.call('HINCRBY', account, session, 1)
end
if not listed or tonumber(listed) < tonumber(ARGV[4]) then redis.call('HSET', own, ARGV[3], ARGV[4]) end
return 1
`;

/** ARGV: session, md5, listed. Nothing happens when the file is not counted, or came again since. */
const UNCOUNT_FILE = `${PRELUDE}
local listed = redis.call('HGET', own, ARGV[2])
if not listed or tonumber(listed) > tonumber(ARGV[3]) then return 0 end
redis.call('HDEL', own, ARGV[2])
redis.call('HINCRBY', account, session, -1)
redis.call('DECR', files)
return 1
`;

/** How many sessions are counted. ARGV: ''. */
const COUNT_SESSIONS = `
return redis.call('HLEN', KEYS[1])
`;

export const ACCOUNT_SCRIPTS = {
  joinAccount: JOIN,
  quitAccount: QUIT,
  countFile: COUNT_FILE,
  uncountFile: UNCOUNT_FILE,
};

export const ACCOUNT_QUESTIONS = {
  countSessions: COUNT_SESSIONS,
};
