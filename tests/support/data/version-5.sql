-- A database as commit 717cae0 left it, before errors had codes: requests in each state that outlives a process.
-- Written by that commit's own SQLite store; `:now` stands for the time. Never edit a row: old databases do not change.
CREATE TABLE connections (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            refresh_token TEXT NOT NULL,
            connected_at DOUBLE PRECISION NOT NULL,
            used_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        );
CREATE TABLE connects (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            state_hash TEXT NOT NULL UNIQUE,
            from_team TEXT NOT NULL,
            enterprise_id TEXT,
            verifier TEXT NOT NULL,
            good_until DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        );
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO facts VALUES('key_check','cobrowse-bot');
INSERT INTO facts VALUES('version','5');
INSERT INTO facts VALUES('owner','1');
CREATE TABLE found_hosts (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            rule TEXT NOT NULL,
            good_until DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        );
CREATE TABLE links (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            linked_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        );
CREATE TABLE posts (
            session_id TEXT NOT NULL,
            channel_id TEXT NOT NULL,
            ts TEXT NOT NULL,
            kind TEXT NOT NULL,
            request_id TEXT,
            due_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (session_id, channel_id, ts)
        );
CREATE TABLE requests (
            id TEXT PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            owner BIGINT NOT NULL,
            state TEXT NOT NULL,
            kind TEXT NOT NULL,
            team_id TEXT NOT NULL,
            enterprise_id TEXT,
            channel_id TEXT NOT NULL,
            requester TEXT NOT NULL,
            target TEXT,
            name TEXT,
            reply_url TEXT,
            replaces BOOLEAN NOT NULL,
            same TEXT NOT NULL,
            same_as TEXT,
            accepted_at DOUBLE PRECISION NOT NULL,
            session_at DOUBLE PRECISION,
            session_id TEXT,
            failure TEXT
        , conversation_id TEXT, argument TEXT, application_id TEXT, timeout_seconds BIGINT);
INSERT INTO requests VALUES('accepted','command:accepted',1,'accepted','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'accepted','https://hooks.slack.com/commands/T0HOME/1/accepted',FALSE,'bf74bf6dce5697724397434ce25678e8',NULL,:now,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('creating','command:creating',1,'creating','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'creating','https://hooks.slack.com/commands/T0HOME/1/creating',FALSE,'20f817566534c82798b476495ff27535',NULL,:now,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('created','command:created',1,'created','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'created','https://hooks.slack.com/commands/T0HOME/1/created',FALSE,'0cbd67b271a89a885b0c4feee80fb290',NULL,:now,:now,'old-session',NULL,NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-oauth','command:f-oauth',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-oauth','https://hooks.slack.com/commands/T0HOME/1/f-oauth',FALSE,'680b1e266a9b9a39858b09671710ee96',NULL,:now,NULL,NULL,'{"error": "OAuthRefused", "reference": "ref-1", "code": "invalid_scope"}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-host','command:f-host',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-host','https://hooks.slack.com/commands/T0HOME/1/f-host',FALSE,'6f14c902f6e257629f1a4ca3532c882d',NULL,:now,NULL,NULL,'{"error": "HostNotFound", "user_id": "U0ANA", "is_target": false, "tried": [{"rule": "hosts file", "why": "not listed"}]}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-slack','command:f-slack',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-slack','https://hooks.slack.com/commands/T0HOME/1/f-slack',FALSE,'b84c5f596fd40a724a8668097d6a39f9',NULL,:now,NULL,NULL,'{"error": "SlackUnavailable", "code": "ratelimited"}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-member','command:f-member',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-member','https://hooks.slack.com/commands/T0HOME/1/f-member',FALSE,'e9257dd0914eab67127f7ef606665cfc',NULL,:now,NULL,NULL,'{"error": "NotAMember", "user_id": "U0ANA", "standing": "guest", "is_target": false}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-interrupted','command:f-interrupted',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-interrupted','https://hooks.slack.com/commands/T0HOME/1/f-interrupted',FALSE,'68297e522ac17f995ebd068ae9104f44',NULL,:now,NULL,NULL,'{"error": "Interrupted", "maybe_created": true}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-posted','command:f-posted',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-posted','https://hooks.slack.com/commands/T0HOME/1/f-posted',FALSE,'3a1f0a0812aaa8e8e6d9f5303e0e5406',NULL,:now,NULL,NULL,'{"error": "NotPosted", "code": "fatal_error"}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-several','command:f-several',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-several','https://hooks.slack.com/commands/T0HOME/1/f-several',FALSE,'1d45491bb70d7be94f6d9f97825aad98',NULL,:now,NULL,NULL,'{"error": "SeveralConversations", "reference": null, "candidates": [{"id": "11111111-1111-4111-8111-111111111111", "since": "2026-11-01T00:00:00+00:00"}]}',NULL,NULL,NULL,NULL);
INSERT INTO requests VALUES('f-signin','command:f-signin',1,'failed','start','T0HOME',NULL,'C0DESK','U0ANA',NULL,'f-signin','https://hooks.slack.com/commands/T0HOME/1/f-signin',FALSE,'46567adbf4779737c6bc5bfa75529565',NULL,:now,NULL,NULL,'{"error": "SignInFailed", "reference": null, "code": "invalid_grant"}',NULL,NULL,NULL,NULL);
CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            request_id TEXT NOT NULL,
            team_id TEXT NOT NULL,
            requester TEXT NOT NULL,
            agent TEXT NOT NULL,
            host_id TEXT NOT NULL,
            name TEXT NOT NULL,
            application_id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at DOUBLE PRECISION NOT NULL,
            ends_at DOUBLE PRECISION NOT NULL,
            ended_at DOUBLE PRECISION,
            join_url TEXT
        , join_code TEXT, ended_by TEXT);
INSERT INTO sessions VALUES('old-session','created','T0HOME','U0ANA','U0ANA','9a3e5a1e-0000-4000-8000-000000000001','created','web','active',:now,4102444800.0,NULL,'https://join.example.test/old',NULL,NULL);
CREATE INDEX requests_unfinished ON requests (owner, accepted_at) WHERE state <> 'answered';
CREATE INDEX requests_answered ON requests (accepted_at) WHERE state = 'answered';
CREATE INDEX requests_same ON requests (same, accepted_at);
CREATE INDEX sessions_with_url ON sessions (ends_at) WHERE join_url IS NOT NULL;
CREATE INDEX sessions_over ON sessions (ends_at);
CREATE INDEX found_hosts_old ON found_hosts (good_until);
CREATE INDEX sessions_hosted ON sessions (team_id, agent, created_at);
CREATE INDEX sessions_given ON sessions (team_id, requester, created_at) WHERE requester <> agent;
CREATE INDEX posts_due ON posts (due_at);
CREATE INDEX connects_old ON connects (good_until);
CREATE INDEX connections_unused ON connections (used_at);
