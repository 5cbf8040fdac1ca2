-- The tables of a new database, version 11, for SQLite and for Postgres.
-- All times are seconds since 1970. Ids of teams, users and channels are Slack's; host ids are Genesys's user ids.
-- "Encrypted" columns hold text that starts with "sealed:" when STORE_ENCRYPTION_KEY is set, else plain text.
-- "Workspace" in the column of that name is a Slack app with its Genesys organization: '' if the program runs one alone,
-- else its name in the program's file of workspaces. The ids, keys and hashes of the workspace "eu" start with "eu|", so
-- that no id of one workspace is one of another.
-- "The sweep" runs at start and once an hour (sweep.sql). COBROWSE_RETENTION_DAYS is 30 unless it is configured.

-- What the program knows about the database itself:
--   version      the number of this schema
--   usable_from  the oldest version whose programs can use these tables, beside newer ones or after them
--   owner        the highest number that a process got; each process takes the next one at start
--   key_check    a known word, encrypted with the key in use; plain text when there is no key
--   node         Postgres only: the start time of the server that holds the replicas' locks, and since when they use it
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO facts (name, value) VALUES ('version', '11') ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- One row for each command, button or form that somebody sent. It is written before Slack gets its acknowledgement.
-- States: accepted -> creating -> created -> answered, or failed -> answered.
-- The sweep deletes a row COBROWSE_RETENTION_DAYS after it came in; a row that only asked for information, after one hour.
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,       -- Slack's id of this invocation: a second delivery meets the constraint
    owner BIGINT NOT NULL,          -- the number of the process that works on it
    state TEXT NOT NULL,
    kind TEXT NOT NULL,             -- start, end, send, …
    team_id TEXT NOT NULL,          -- the workspace it came from
    enterprise_id TEXT,             -- the Enterprise Grid, if the workspace belongs to one
    channel_id TEXT NOT NULL,
    requester TEXT NOT NULL,        -- who asked
    target TEXT,                    -- the agent it is for, when that is somebody else
    name TEXT,                      -- the name of the session
    reply_url TEXT,                 -- encrypted; Slack's response_url; set to NULL when the request is answered
    replaces BOOLEAN NOT NULL,      -- whether the answer replaces the message whose button was pressed
    same TEXT NOT NULL,             -- equal for two requests that ask for the same session
    same_as TEXT,                   -- the id of the request whose session this duplicate gets
    accepted_at DOUBLE PRECISION NOT NULL,
    session_at DOUBLE PRECISION,    -- when its session was created
    session_id TEXT,
    failure TEXT,                   -- JSON: the error it ended with
    conversation_id TEXT,           -- the Genesys conversation that was named, or found for its session
    argument TEXT,                  -- encrypted; may hold a customer's address, then NULL when the request is answered
    application_id TEXT,
    timeout_seconds BIGINT,
    view_id TEXT,                   -- the modal that shows the answer, if the request came from one
    trace_context TEXT,             -- the trace it belongs to, as W3C's traceparent[, tracestate]; NULL without tracing
    workspace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX requests_unfinished ON requests (owner, accepted_at) WHERE state <> 'answered';
CREATE INDEX requests_answered ON requests (accepted_at) WHERE state = 'answered';
CREATE INDEX requests_same ON requests (same, accepted_at);
/*postgres
-- Several replicas write to Postgres. When two of them accept the same request for a session at the same moment, the
-- second one meets this constraint and takes the session of the first.
CREATE UNIQUE INDEX requests_wish ON requests (same) WHERE same_as IS NULL AND state IN ('accepted', 'creating');
*/

-- One row for each co-browse session that the program created.
-- The join link and code are set to NULL when the session is ended from Slack, else by the sweep after ends_at.
-- The sweep deletes the row COBROWSE_RETENTION_DAYS after ends_at.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,            -- the session service's id
    request_id TEXT NOT NULL,
    team_id TEXT NOT NULL,          -- the Enterprise Grid's id, else the workspace's
    requester TEXT NOT NULL,
    agent TEXT NOT NULL,            -- whose session it is
    host_id TEXT NOT NULL,
    name TEXT NOT NULL,
    application_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    ends_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION,      -- when somebody ended it from Slack
    join_url TEXT,                  -- encrypted; '' for a session that has a code alone
    join_code TEXT,                 -- encrypted
    ended_by TEXT,                  -- the id of the request that ended it
    is_call BOOLEAN,                -- whether its Genesys conversation is a phone call; NULL if it is not known
    live_state TEXT,                -- joined, over or unused, as Genesys said last; NULL if it said none of these
    joined_at DOUBLE PRECISION,     -- when the customer joined, by Genesys's clock
    ending TEXT,                    -- how it ended after that: customer, agent, timed_out or failed
    workspace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_with_url ON sessions (ends_at) WHERE join_url IS NOT NULL;
CREATE INDEX sessions_over ON sessions (ends_at);
CREATE INDEX sessions_hosted ON sessions (team_id, agent, created_at);
CREATE INDEX sessions_given ON sessions (team_id, requester, created_at) WHERE requester <> agent;

-- Messages in Slack that show a session and are updated when it ends. A row goes when its message is updated.
CREATE TABLE posts (
    session_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    ts TEXT NOT NULL,               -- Slack's id of the message in its channel; '' while it is being posted
    kind TEXT NOT NULL,             -- shared or direct
    request_id TEXT,
    due_at DOUBLE PRECISION NOT NULL, -- when a replica may take the row and update the message
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (session_id, channel_id, ts)
);
CREATE INDEX posts_due ON posts (due_at);

-- Open sessions whose state the program watches, to tell the agent when the customer joins and when the session is over.
-- A row goes when the end is known. The sweep deletes a row after a day.
CREATE TABLE watches (
    session_id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    conversation_id TEXT,
    reply_url TEXT,                 -- encrypted; the response_url of the request that started it, NULL when it is too old
    reply_uses BIGINT NOT NULL,     -- how many more messages may go to the response_url
    reply_until DOUBLE PRECISION NOT NULL, -- until when Slack takes messages there
    looks BIGINT NOT NULL,          -- how often Genesys was asked
    next_at DOUBLE PRECISION NOT NULL, -- when a replica may ask again
    watched_at DOUBLE PRECISION NOT NULL,
    workspace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX watches_due ON watches (next_at);

-- Which host a person is, as a rule found it: a cache. The sweep deletes what has expired.
CREATE TABLE found_hosts (
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    good_until DOUBLE PRECISION NOT NULL,
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX found_hosts_old ON found_hosts (good_until);

-- Which host a person is, as an administrator wrote it down (`hosts link`). Only an administrator deletes a row.
CREATE TABLE links (
    team_id TEXT NOT NULL,          -- '' for every workspace
    user_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    linked_at DOUBLE PRECISION NOT NULL,
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, user_id)
);

-- Sign-ins to Genesys that have begun, one for each person. A sign-in that completes deletes its row; the sweep deletes
-- what has expired.
CREATE TABLE connects (
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    state_hash TEXT NOT NULL UNIQUE, -- SHA-256 of OAuth's `state`, which is nowhere stored itself
    from_team TEXT NOT NULL,        -- the workspace the command came from
    enterprise_id TEXT,
    verifier TEXT NOT NULL,         -- encrypted; PKCE's code verifier
    good_until DOUBLE PRECISION NOT NULL,
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX connects_old ON connects (good_until);

-- Genesys accounts of people who signed in. The sweep deletes a row that was not used for COBROWSE_RETENTION_DAYS.
CREATE TABLE connections (
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    refresh_token TEXT NOT NULL,    -- encrypted
    connected_at DOUBLE PRECISION NOT NULL,
    used_at DOUBLE PRECISION NOT NULL,
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX connections_unused ON connections (used_at);

-- Messages to several people or channels about one matter, which are edited as the matter goes on: a fault that
-- administrators have to repair, a session that somebody else ended, a person whom administrators have to connect to a
-- Genesys user. The sweep deletes a row COBROWSE_RETENTION_DAYS after its last change.
CREATE TABLE notices (
    kind TEXT NOT NULL,             -- what the matter is: fault, ended, access (somebody asks to be connected), welcome
    key TEXT NOT NULL,              -- which one it is
    team_id TEXT NOT NULL,          -- the workspace where it came up
    version BIGINT NOT NULL,        -- grows with each change of what the messages have to say
    shown BIGINT NOT NULL,          -- the version that all messages show
    takes BIGINT NOT NULL,          -- how often a replica began to send it; a replica that is too slow changes nothing
    next_at DOUBLE PRECISION NOT NULL, -- when a replica may send it
    opened_at DOUBLE PRECISION NOT NULL, -- when its present messages were due; a fault gets new ones after an hour
    changed_at DOUBLE PRECISION NOT NULL,
    over_at DOUBLE PRECISION,       -- since when the matter is over
    data TEXT NOT NULL,             -- JSON: what the messages say
    messages TEXT NOT NULL,         -- JSON: who has got which message
    workspace TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, key)
);
CREATE INDEX notices_changed ON notices (changed_at);
CREATE INDEX notices_pending ON notices (changed_at) WHERE over_at IS NULL OR shown < version;
