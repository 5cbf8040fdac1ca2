"""Define the bot's durations, in seconds, and its limits for incoming data. Tests pass smaller values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTiming:
    """Durations in the processing of one request, in seconds.

    - `first_notice_seconds`: how long a requester waits before the first wait notice.
    - `late_seconds`: how long after the end of an announced wait the bot posts the second wait notice, if there is no
      result yet.
    - `min_wait_notice_seconds`: the shortest wait that a wait notice announces.
    - `max_wait_seconds`: the longest time from the command to the end of a wait. A request that would wait longer fails
      at once, because Slack accepts answers for 30 minutes only.
    - `stop_notice_seconds`: how long a result waits for a wait notice that the bot is still posting. Slack then shows
      the result below the wait notice. After this time, the bot cancels the wait notice.
    - `send_timeout`: if the database is unavailable, how long the bot tries to store the state `creating`. After this
      time, the request fails. If only this process can use the database, the bot tries only once.
    - `save_timeout`: if the database is unavailable, how long the bot tries to store a result. After this time, the bot
      answers the requester all the same. If several replicas can use the database, the bot tries without a time limit.
    - `answered_timeout`: if the database is unavailable, how long the bot tries to store the state `answered`.
    - `retry_seconds`: the pause between a failed write to the database and the next try.
    - `follow_poll_seconds`: how often a duplicate request checks whether the earlier request has a session.
    """

    first_notice_seconds: float = 2.0
    late_seconds: float = 15.0
    min_wait_notice_seconds: float = 4.0
    max_wait_seconds: float = 1500.0
    stop_notice_seconds: float = 1.0
    send_timeout: float = 15.0
    save_timeout: float = 2.0
    answered_timeout: float = 1800.0
    retry_seconds: float = 0.5
    follow_poll_seconds: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTiming:
    """Pauses between the rounds of background loops, in seconds.

    - `orphan_poll_seconds`: between two searches for requests of dead processes. Also the pause after a failed round of
      any loop.
    - `sweep_interval_seconds`: between two deletions of old data.
    - `ended_poll_seconds`: between two searches for messages that do not show yet that their session has ended, or that
      the customer has joined. After the event SessionClosed in this process, the next search begins at once.
    """

    orphan_poll_seconds: float = 2.0
    sweep_interval_seconds: float = 3600.0
    ended_poll_seconds: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTiming:
    """Durations of notices, in seconds.

    - `poll_seconds`: how often a replica searches the database for notices whose messages have to be sent or updated.
    - `lease_seconds`: how long a replica has to send each message of a notice, before another replica can take over the
      notice.
    - `edit_pause_seconds`: the pause between two rounds of updates to the messages of one notice.
    - `retry_seconds`: the pause before the next round, if Slack did not accept a message of the notice.
    - `renewal_seconds`: if the messages about a fault are at least this old, the next failure makes the bot post new
      messages. Otherwise, the bot updates the old ones. Slack notifies nobody of an update.
    - `grace_seconds`: after a replica finds a new host link, how long it waits before it marks the person's request for
      access as over. In this time, the replica that stored the host link can mark the request as over, and name the
      administrator in the notice.
    - `stop_seconds`: how long a shutdown waits for messages that the bot is sending.
    - `report_timeout`: how long the answer to a failed request waits until the notice to the administrators is stored.
    - `delivery_timeout`: after a press on *Tell* or *Ask*, how long the answer waits until Slack has accepted a message
      to the administrators.
    """

    poll_seconds: float = 5.0
    lease_seconds: float = 30.0
    edit_pause_seconds: float = 15.0
    retry_seconds: float = 60.0
    renewal_seconds: float = 3600.0
    grace_seconds: float = 10.0
    stop_seconds: float = 3.0
    report_timeout: float = 2.0
    delivery_timeout: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTiming:
    """Durations of Genesys's notification channels, in seconds.

    - `sync_seconds`: how often the leading replica compares its subscriptions with the watched sessions. Also how often
      each other replica tries to become the leading replica.
    - `grace_seconds`: after a lost connection, how long the bot waits for a new connection, before it looks at all
      watched sessions.
    - `trim_seconds`: the longest time for which the bot stays subscribed to a host without a watched session.
    - `repeat_seconds`: the time between the two looks at a session after an event. At the first look, the API may still
      return the state from before the event.
    - `lost_event_seconds`: if no hint about a subscribed conversation comes for this long, the bot looks at the
      sessions of the conversation.
    - `refused_seconds`: how long the bot waits before it tries a refused subscription again.
    - `ping_seconds`: the time without data after which the bot sends a ping, and the time that Genesys has to answer
      the ping. Genesys sends a heartbeat every 30 seconds, which counts as an answer.
    - `connect_timeout`, `close_timeout`: how long it may take to open and to close a WebSocket.
    - `first_backoff_seconds`: the first wait before the bot opens a new WebSocket in place of a closed one, or tries a
      failed subscription again. Each later wait is twice as long.
    - `max_backoff_seconds`: the longest such wait.
    - `steady_seconds`: the lifetime of a WebSocket after which the next wait is `first_backoff_seconds` again.
    - `renew_share`: the share of a notification channel's lifetime after which the bot replaces the channel. Genesys
      keeps a channel for 24 hours.
    """

    sync_seconds: float = 2.0
    grace_seconds: float = 5.0
    trim_seconds: float = 60.0
    repeat_seconds: float = 3.0
    lost_event_seconds: float = 300.0
    refused_seconds: float = 600.0
    ping_seconds: float = 20.0
    connect_timeout: float = 10.0
    close_timeout: float = 2.0
    first_backoff_seconds: float = 0.5
    max_backoff_seconds: float = 60.0
    steady_seconds: float = 30.0
    renew_share: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTiming:
    """Durations of the background looks at open sessions, in seconds.

    - `push`: the durations of the notification channels, over which hints come.
    - `poll_seconds`: how often a replica searches the database for sessions that are due for a look.
    - `first_pause_seconds`: the pause before the first look at a session.
    - `pause_growth`: the factor by which each later pause is longer.
    - `max_pause_seconds`: the longest pause before one of the first EARLY_LOOKS looks.
    - `late_pause_seconds`: the longest pause before each later look.
    - `lease_seconds`: how long a replica has for one look, before another replica can take over the session.
    - `end_margin_seconds`: how long after a session's end time the bot looks at the session, to read its final state.
    - `busy_seconds`: the pause if the rate limit allows no call, or the shortest pause if Genesys asks for one.
    - `hint_gap_seconds`: the shortest pause between two looks at one session.
    - `catch_up_seconds`: the shortest time between two looks at covered sessions about which no hint has come. It is
      one limit for all these sessions together. It leaves room in the rate limit for looks after a hint.
    - `give_up_seconds`: how long after a session's end time the bot goes on looking at the session, if Genesys has not
      reported a final state.
    - `reply_seconds`: how long Slack accepts messages at a response_url. The time begins with the command or press.
    - `stop_seconds`: how long a shutdown waits for messages that the bot is sending.
    """

    push: PushTiming = field(default_factory=PushTiming)
    poll_seconds: float = 1.0
    first_pause_seconds: float = 5.0
    pause_growth: float = 1.5
    max_pause_seconds: float = 60.0
    late_pause_seconds: float = 120.0
    lease_seconds: float = 45.0
    end_margin_seconds: float = 3.0
    busy_seconds: float = 2.0
    hint_gap_seconds: float = 1.0
    catch_up_seconds: float = 2.0
    give_up_seconds: float = 300.0
    reply_seconds: float = 1740.0
    stop_seconds: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreTiming:
    """All durations of the core, in seconds.

    - `run`, `recovery`, `notices`, `live`: see the classes of these fields.
    - `last_posts_seconds`: how long the last part of a shutdown may take. In this part, the bot tells requesters that
      it interrupted their requests.
    - `status_cache_seconds`: how long the bot caches a session's state.
    - `status_timeout`: how long the session service may take to return a session's state.
    - `press_status_timeout`: how long a press that opens a dialog waits for a session's state. Slack opens a dialog
      only within three seconds of the press.
    - `joined_seconds`: how long a session that belongs to a conversation counts as open after Genesys last said that
      the customer is in the session.
    - `link_lifetime_seconds`: how long a sign-in link is valid.
    - `lookup_timeout`: how long each of these may take: after a sign-in, the look-up of the person in Slack, and the
      search for the person's host; after *Check again*, the test of the fault at Genesys.
    - `host_cache_seconds`: how long the bot caches the host that a host rule found for a person.
    - `trace_export_timeout`: how long a shutdown waits for the export of the last spans.
    """

    run: RunTiming = field(default_factory=RunTiming)
    recovery: RecoveryTiming = field(default_factory=RecoveryTiming)
    notices: NoticeTiming = field(default_factory=NoticeTiming)
    live: LiveTiming = field(default_factory=LiveTiming)
    last_posts_seconds: float = 3.0
    status_cache_seconds: float = 10.0
    status_timeout: float = 5.0
    press_status_timeout: float = 1.0
    joined_seconds: float = 3600.0
    link_lifetime_seconds: float = 600.0
    lookup_timeout: float = 10.0
    host_cache_seconds: float = 3600.0
    trace_export_timeout: float = 2.0


@dataclass(frozen=True, slots=True)
class GenesysTiming:
    """Time-outs, intervals and cache times for calls to Genesys and for access tokens, in seconds."""

    call_timeout: float = 10.0
    """How long one attempt of an API call may take. It includes the wait for a connection."""
    read_timeout: float = 10.0
    """The longest pause between two reads of an answer. Applies to the HTTP requests for tokens and sign-ins.
    `call_timeout` limits API calls."""
    connect_timeout: float = 5.0
    """How long it may take to open a connection, or to get a free one from the pool."""
    keepalive_seconds: float = 30.0
    """How long the pool keeps an idle connection."""

    first_backoff_seconds: float = 0.5
    """The wait before the first retry. Each later wait is twice as long."""
    max_backoff_seconds: float = 20.0
    """The bot does not retry a call if its attempts and the bot's own pauses take longer than this in total. The pauses
    that Genesys asked for by Retry-After do not count, and neither do the waits for the rate limit."""
    max_retry_after_seconds: float = 180.0
    """How long one call may wait in total because Genesys asked for a pause by Retry-After."""

    rate_window_seconds: float = 60.0
    """The length of the window in which Genesys counts the calls of a token. Also the longest wait for a new window."""
    rate_probe_seconds: float = 1.0
    """How long the other calls wait for the answer to the first call of a window. They wait only if the limit was
    reached in the window before."""
    max_hold_seconds: float = 60.0
    """How long one answer with status 429 can delay all calls that need the same permission."""
    hold_probe_seconds: float = 1.0
    """How long the other calls that need the same permission wait for the answer to the first call after a 429 delay
    (see `max_hold_seconds`)."""
    max_hold_total_seconds: float = 180.0
    """How long one call may wait in total because of 429 delays (see `max_hold_seconds`), before the call fails."""

    token_timeout: float = 12.0
    """How long one HTTP request for the bot's own token may take."""
    login_timeout: float = 10.0
    """How long one HTTP request for a user's tokens may take, at a sign-in or a refresh."""
    revoke_timeout: float = 4.0
    """How long one HTTP request that revokes a user's token may take."""
    renew_ahead_seconds: float = 300.0
    """How long before expiry a token is renewed: this value or, if shorter, a tenth of the token's lifetime."""
    unusable_ahead_seconds: float = 30.0
    """How long before expiry a token is no longer sent: this value or, if shorter, a twentieth of the lifetime."""
    forbidden_token_seconds: float = 10.0
    """How long the bot keeps a new token although Genesys answers 403. After that, a 403 makes the bot fetch another
    token, which may have more scopes."""
    default_token_seconds: float = 600.0
    """The assumed lifetime of a token if Genesys's answer states no lifetime."""
    account_cache_seconds: float = 60.0
    """How long a replica caches a user's linked account."""
    name_timeout: float = 3.0
    """How long it may take to read the name of a Genesys user. The name is for display only."""
    name_cache_seconds: float = 86_400.0
    """How long the name of a Genesys user is cached."""
    no_name_cache_seconds: float = 600.0
    """If Genesys does not return a user's name, how long the bot waits before it asks for the name again."""
    close_timeout: float = 5.0
    """How long a shutdown waits for token renewals in progress."""


GENESYS_TIMING = GenesysTiming()
"""The durations that the real bot uses. Tests use shorter ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackTiming:
    """Durations of calls to Slack, of incoming data from Slack, and of cached data, in seconds."""

    post_timeout: float = 12.0
    """How long the bot tries one way to reach a person, with retries, before it tries the next way (response_url,
    ephemeral message, direct message)."""
    last_post_timeout: float = 0.9
    """The value used in place of `post_timeout` when the process is stopping."""
    agent_timeout: float = 3.0
    """How long it may take to tell an agent that another person or a workflow started a session for the agent."""
    http_timeout: float = 10.0
    """In calls of the Web API: how long it may take to open a connection, and the longest pause while the response
    arrives."""
    response_url_timeout: float = 5.0
    """The value used in place of `http_timeout` for a post to a response_url. The value is short, so that the bot can
    replace a dead connection and post again within `post_timeout`."""
    repeat_seconds: float = 0.5
    """The wait before each retry of a post to a response_url. Also the first wait before a retry of a Web API call:
    each later wait is twice as long, and the bot adds a random time to each wait."""
    probe_interval_seconds: float = 30.0
    """How often the bot tries the server of response_urls again after the server stopped answering."""
    probe_timeout: float = 2.0
    """How long one try of the server of response_urls may take (see `probe_interval_seconds`)."""
    edit_timeout: float = 8.0
    """How long one update of a message may take in total."""
    open_timeout: float = 12.0
    """How long the call that opens a person's direct messages may take."""
    direct_cache_seconds: float = 86_400.0
    """How long the channel id of a person's direct messages is cached."""
    step_retry_seconds: tuple[float, ...] = (2.0, 5.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0, 60.0)
    """The pauses between the tries to complete a workflow step."""

    lookup_timeout: float = 12.0
    """How long one look-up of a user or a user group may take."""
    name_timeout: float = 2.0
    """How long the look-up of the contact's name, or of a person's language, may take. If the look-up takes longer, the
    bot answers without the name, or in the default language."""
    permalink_timeout: float = 2.0
    """How long the look-up of a message's URL may take. Only a button that links to the message needs the URL."""
    max_lookup_retry_after: float = 60.0
    """A look-up fails at once if Slack asks for a longer wait than this."""
    people_cache_seconds: float = 300.0
    """How long users and user groups are cached."""
    workspaces_cache_seconds: float = 3600.0
    """How long the bot caches the list of the Slack workspaces of an org-wide token. Also how long it caches the result
    that a certain user group does not exist in a Slack workspace."""
    channel_timeout: float = 5.0
    """How long the call that reads a channel may take, before a session is posted in the channel."""
    identify_timeout: float = 15.0
    """How long one auth.test may take when the bot starts."""
    identify_retry_seconds: float = 1.0
    """The pause after the first failed auth.test. Each later pause is longer by this value."""
    token_probe_seconds: float = 30.0
    """How often the bot tries again a bot token that Slack has refused."""
    token_probe_timeout: float = 10.0
    """How long one try of a refused bot token may take (see `token_probe_seconds`)."""

    view_timeout: float = 10.0
    """How long one call that updates or publishes a view may take."""
    view_settle_seconds: float = 0.5
    """How long the first update of a modal waits after the user submitted the modal, so that the acknowledgement
    arrives first."""
    redelivery_seconds: float = 10.0
    """How long after an answer in a modal Slack may deliver the submission of the modal again."""
    trigger_seconds: float = 3.0
    """The lifetime of a trigger_id. A call with an older trigger_id cannot succeed."""
    content_timeout: float = 1.5
    """How long it may take to read what the dialog with all commands shows. After this time, the bot sends a message
    instead of the dialog. Also how long it may take to read the open sessions that a question names. After this time,
    the question names no session."""
    home_section_timeout: float = 10.0
    """How long one section of a Home tab may take to load. Also how long each look-up at Genesys may take in the dialog
    that connects a person."""
    catalog_timeout: float = 4.0
    """How long the form's list of applications may take to load."""
    catalog_cache_seconds: float = 60.0
    """How long the form's list of applications is cached."""

    body_timeout: float = 5.0
    """How long the body of an HTTP request may take to arrive."""
    large_body_min_seconds: float = 0.25
    """If too many large bodies arrive at once, the bot drops the oldest incomplete body. If this body arrived less
    than `large_body_min_seconds` ago, the bot refuses the new body instead."""
    clock_window_seconds: float = 60.0
    """The period of the clock check. This machine's clock is probably wrong if, within this period, several signed HTTP
    requests from Slack have a stale timestamp and none has a current one."""
    heartbeat_seconds: float = 5.0
    """The interval of pings. The bot replaces a Socket Mode connection if no pong arrives within half of this interval.
    """
    hello_timeout: float = 10.0
    """How long a new Socket Mode connection waits for Slack's hello."""
    close_timeout: float = 2.0
    """How long it may take to close a Socket Mode connection."""
    max_leaving_seconds: float = 30.0
    """How long the bot still reads an old Socket Mode connection after a new connection has replaced it."""
    ghost_seconds: float = 6 * 3600.0
    """How long Slack may count a connection after it ended without a closing handshake. Users measured five hours:
    https://github.com/slackapi/python-slack-sdk/issues/1940 ."""


SLACK_TIMING = SlackTiming()
"""The durations that the real bot uses. Tests use shorter ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverBounds:
    """The limits of what the receivers accept at the same time: connections, and bodies of requests."""

    connections: int = 500
    """The maximum number of open HTTP connections of a process that serves one workspace."""
    shared_connections: int = 2000
    """The maximum number of open HTTP connections of a process that serves several workspaces. This maximum is far
    above `requests`, so that many requests of one workspace leave connections to the others."""
    requests: int = 500
    """The maximum number of HTTP requests of one workspace at the same time. Applies to a process that serves several
    workspaces."""
    waiting_bodies: int = 200
    """The maximum number of incomplete bodies. This maximum is far below `connections`, so that slow senders never hold
    all connections. A body that arrives with its headers does not count."""
    envelopes: int = 1000
    """The maximum number of unprocessed envelopes of a Socket Mode connection. At this number, the bot stops reading.
    """
    callbacks: int = 20
    """The maximum number of HTTP requests at the same time from browsers that return from a sign-in."""


RECEIVER_BOUNDS = ReceiverBounds()
"""The limits that the real bot uses. Tests use lower ones."""


@dataclass(frozen=True, slots=True)
class WorkspacesFileTiming:
    """Durations for noticing that the file of workspaces has changed, in seconds."""

    poll_seconds: float = 2.0
    """How often the bot checks whether the file has changed. The bot reads a changed file after the file has stayed the
    same for this long, so that the bot does not read half a table."""


WORKSPACES_FILE_TIMING = WorkspacesFileTiming()
"""The durations that the real bot uses. Tests use shorter ones."""


@dataclass(frozen=True, slots=True)
class SecretTiming:
    """Durations for noticing that a file with a secret has changed, in seconds."""

    poll_seconds: float = 2.0
    """How often the bot checks whether a file has changed. The bot reads a changed file after the file has stayed the
    same for this long, so that the bot does not read half a value."""
    retry_seconds: float = 15.0
    """How long the bot waits before it tries again to use the new value of a secret, after Slack, Genesys or the
    database refused the value or did not answer, or the file could not be read. Each later wait is twice as long."""
    max_retry_seconds: float = 300.0
    """The longest wait before the bot tries again to use the new value of a secret."""


SECRET_TIMING = SecretTiming()
"""The durations that the real bot uses. Tests use shorter ones."""


@dataclass(frozen=True, slots=True)
class WorkspaceTiming:
    """Durations of a process that serves several workspaces, in seconds."""

    retry_seconds: float = 5.0
    """If a workspace cannot be opened: how long the bot waits before the next try. Each later wait is twice as long."""
    max_retry_seconds: float = 300.0
    """The longest wait before the bot tries again to open a workspace."""
    drain_seconds: float = 1800.0
    """How long a workspace may take to finish its accepted requests, after the workspace's settings changed or the
    workspace was removed. If the whole process stops, SHUTDOWN_SECONDS applies."""


WORKSPACE_TIMING = WorkspaceTiming()
"""The durations that the real bot uses. Tests use shorter ones."""


@dataclass(frozen=True, slots=True)
class StorageTiming:
    """Durations of the database layer, in seconds.

    If only SQLite or only Postgres uses a duration, the description begins with the name of this database.
    """

    write_delay_seconds: float = 0.005
    """SQLite: how long a write of the state `created` or `answered` may wait for other writes, to share a transaction
    with them."""
    busy_timeout_seconds: float = 10.0
    """SQLite: how long a connection waits for the short writes of another process."""
    sweep_pause_seconds: float = 0.01
    """The pause between two writes of the sweep, so that other writes get their turn."""
    connect_timeout_seconds: float = 5.0
    """Postgres: how long it may take to open or close a connection outside the pool."""
    pool_timeout_seconds: float = 1.0
    """Postgres: how long a statement waits for a free connection of the pool."""
    statement_timeout_seconds: float = 1.5
    """Postgres: how long one statement may take."""
    accept_timeout_seconds: float = 2.2
    """Postgres: how long it may take in total to store a new request (`RequestRepository.accept`). Slack waits for the
    acknowledgement meanwhile."""
    unclaimed_after_seconds: float = 10.0
    """Postgres: the age from which a replica processes its own request although `RequestRepository.accept` raised an
    error. If the connection fails at the wrong moment, the database has stored the request in spite of the error."""
    account_lock_seconds: float = 15.0
    """Postgres: how long the row of a linked account may stay locked during a call to Genesys. Also how long other
    replicas wait for the locked row."""
    migration_lock_seconds: float = 0.3
    """Postgres: how long a migration waits for a table that replicas use. Meanwhile, the replicas wait for the tables
    that the migration has locked."""
    migration_pause_seconds: float = 1.0
    """Postgres: the pause before the next try of a migration that could not lock a table."""
    migration_seconds: float = 60.0
    """Postgres: how long the bot tries a migration that cannot lock a table, before the start of the bot fails."""
    lock_check_seconds: float = 2.0
    """Postgres: how often a replica checks that the server still accepts writes. Also the time-out of this check."""
    server_move_seconds: float = 30.0
    """Postgres: how long replicas have to take their locks on the new server, after a failover or restart of Postgres.
    In this time, no replica takes over requests. A replica that lost its lock takes over no requests for this time
    after it has the lock again. Also how long a replica with a new encryption key waits for the lock that shows the key
    to the other replicas."""
