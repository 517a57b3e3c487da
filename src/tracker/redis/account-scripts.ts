/**
 * What the sessions of one network hold together, in Lua inside the engine. KEYS[1] is the account's base key, ARGV[1] the
 * SessionID.
 *
 * Invariant, kept by each script: `KEYS[1]:files` is the sum of what the sessions in KEYS[1] are counted for, and neither
 * key is there when no session is.
 */
const PRELUDE = `
local account, session = KEYS[1], ARGV[1]
local files = account .. ':files'
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
if redis.call('EXISTS', account) == 0 then redis.call('DEL', files) else redis.call('DECRBY', files, owned) end
return 1
`;

/** ARGV: session, most files of all sessions. Whether it may own one more, which counts then; who is not counted may. */
const COUNT_FILE = `${PRELUDE}
if redis.call('HEXISTS', account, session) == 0 then return 1 end
if tonumber(redis.call('GET', files) or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('INCR', files)
redis.call('HINCRBY', account, session, 1)
return 1
`;

/** Nothing happens when it is counted for none. */
const UNCOUNT_FILE = `${PRELUDE}
if tonumber(redis.call('HGET', account, session) or 0) == 0 then return 0 end
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
