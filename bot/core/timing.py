"""Hold every tunable duration, in seconds, and the bounds of what arrives. Tests pass in smaller ones."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTiming:
    """Durations of one request.

    `first_notice_seconds`: how long a requester waits before the first notice. `late_seconds`: after a wait that was
    announced, how long before the second notice. `min_wait_notice_seconds`: a shorter wait is not announced.
    `max_wait_seconds`: a longer wait, counted from the command, fails at once: Slack takes answers for 30 minutes.
    `stop_notice_seconds`: how long the result waits for a notice that is being posted, so that it is read last.
    `send_timeout`: how long a create waits for a shared store that is unavailable. `save_timeout`: how long a result
    waits for a store of our own. `answered_timeout`: how long the last transition waits. `retry_seconds`: the pause
    between two tries. `follow_poll_seconds`: how often a duplicate looks for the session of its original.
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
    """Pauses of the background loops.

    `orphan_poll_seconds`: how often a replica looks for requests of dead ones, and the pause after a failure.
    `sweep_interval_seconds`: how often the store is swept. `ended_poll_seconds`: how often it is searched for sessions
    whose time is up; a session that this replica ends is handled at once.
    """

    orphan_poll_seconds: float = 2.0
    sweep_interval_seconds: float = 3600.0
    ended_poll_seconds: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTiming:
    """Durations of the messages to administrators about faults.

    `poll_seconds`: how often a replica looks for notices to send. `lease_seconds`: how long a replica has for each
    message, before another one takes the notice. `edit_pause_seconds`: the pause between two rounds of updates of one
    notice. `retry_seconds`: the pause after a message that Slack did not take. `renewal_seconds`: a fault that lasts
    longer gets a new message, since updates notify nobody. `grace_seconds`: how long a person is linked before their
    request for access ends without the name of an administrator. `stop_seconds`: how long a shutdown waits for messages
    that are being sent.
    """

    poll_seconds: float = 5.0
    lease_seconds: float = 30.0
    edit_pause_seconds: float = 15.0
    retry_seconds: float = 60.0
    renewal_seconds: float = 3600.0
    grace_seconds: float = 10.0
    stop_seconds: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreTiming:
    """All durations of the core.

    `last_posts_seconds`: the part of a shutdown that is left for telling requesters that their request was
    interrupted. `status_cache_seconds`, `status_timeout`: how long the service's answer about a session is kept, and
    how long it may take. `link_lifetime_seconds`: how long a sign-in link is valid. `lookup_timeout`: how long Slack,
    and then Genesys, may take to say whose sign-in link it was. `host_cache_seconds`: how long the Genesys host that a
    rule found for a Slack user is kept.
    """

    run: RunTiming = field(default_factory=RunTiming)
    recovery: RecoveryTiming = field(default_factory=RecoveryTiming)
    notices: NoticeTiming = field(default_factory=NoticeTiming)
    last_posts_seconds: float = 3.0
    status_cache_seconds: float = 10.0
    status_timeout: float = 5.0
    link_lifetime_seconds: float = 600.0
    lookup_timeout: float = 10.0
    host_cache_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class GenesysTiming:
    """Durations of calls to Genesys and of the tokens they carry."""

    call_timeout: float = 10.0
    """One API call, from the first byte sent to the last byte read."""
    read_timeout: float = 10.0
    """A pause between two reads of a login's answer, and between two writes of its request."""
    connect_timeout: float = 5.0
    """One connection to open, and one to become free in the pool."""
    keepalive_seconds: float = 30.0
    """How long the pool keeps an idle connection."""

    first_backoff_seconds: float = 0.5
    """The wait before the first retry. Each later wait is twice as long."""
    max_backoff_seconds: float = 20.0
    """Attempts and waits of one call that no Retry-After asked for, without the time in the rate limiter's queue."""
    max_retry_after_seconds: float = 180.0
    """Waits of one call that Retry-After asked for."""

    rate_window_seconds: float = 60.0
    """The window in which Genesys counts the calls of a token, and the longest wait that one of its answers can ask."""
    rate_probe_seconds: float = 1.0
    """After an exhausted window: how long other calls wait for the answer to the first one."""
    max_hold_seconds: float = 60.0
    """How long one 429 can hold back the calls that need one permission."""
    hold_probe_seconds: float = 1.0
    """After a hold: how long the held calls wait for the answer to the first one."""
    max_hold_total_seconds: float = 180.0
    """How long a call waits in holds before it fails."""

    token_timeout: float = 12.0
    """One request of the bot's own token."""
    login_timeout: float = 10.0
    """One request of a user's sign-in or refresh."""
    revoke_timeout: float = 4.0
    """One request that revokes a user's token."""
    renew_ahead_seconds: float = 300.0
    """How long before its end a token is renewed, at most a tenth of its lifetime."""
    unusable_ahead_seconds: float = 30.0
    """How long before its end a token is no longer sent, at most a twentieth of its lifetime."""
    default_token_seconds: float = 600.0
    """The lifetime of a token whose answer does not state one."""
    account_cache_seconds: float = 60.0
    """How long a replica trusts what it read about a user's linked account."""
    name_timeout: float = 3.0
    """The read of a user's name, which is only shown."""
    name_cache_seconds: float = 86_400.0
    """How long a user's name is kept."""
    no_name_cache_seconds: float = 600.0
    """How long it is kept that Genesys does not say a user's name."""
    close_timeout: float = 5.0
    """How long a shutdown waits for renewals that are under way."""


GENESYS_TIMING = GenesysTiming()
"""The values of a real bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackTiming:
    """Durations of calls to Slack, of what Slack sends, and of what is known about Slack."""

    post_timeout: float = 12.0
    """One way to reach a person, retries included; then the next way is tried."""
    last_post_timeout: float = 0.9
    """The same when the process is about to end."""
    agent_timeout: float = 3.0
    """The message to the agent of a session that somebody else starts. The requester waits for it."""
    http_timeout: float = 10.0
    """A connection to open, and a pause between two reads, in calls of the Web API."""
    response_url_timeout: float = 5.0
    """The same for one try of a post to a response_url: a dead connection is replaced while there is time."""
    repeat_seconds: float = 0.5
    """The wait before a call or a post is sent again; calls double it."""
    probe_interval_seconds: float = 30.0
    """How often a silent host of response_urls is tried."""
    probe_timeout: float = 2.0
    """One post to a silent host."""
    edit_timeout: float = 8.0
    """One update of a message, as a whole: the HTTP time-out starts again with each byte."""
    open_timeout: float = 12.0
    """The call that opens somebody's direct messages."""
    direct_cache_seconds: float = 86_400.0
    """How long the id of somebody's direct messages is kept."""
    step_retry_seconds: tuple[float, ...] = (2.0, 5.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0, 60.0)
    """Pauses between the tries to end a workflow's step, which waits for longer than a person would."""

    lookup_timeout: float = 12.0
    """One look-up of a user or a user group."""
    name_timeout: float = 2.0
    """The look-up of the contact's name, for a button."""
    max_lookup_retry_after: float = 60.0
    """A look-up that Slack tells to wait for longer fails at once: Slack counts by the minute."""
    people_cache_seconds: float = 300.0
    """How long users and user groups are kept."""
    channel_timeout: float = 5.0
    """The call that reads a channel before a session is shared there."""
    identify_timeout: float = 15.0
    """One auth.test at start."""
    identify_retry_seconds: float = 1.0
    """The pause after the first auth.test that failed; each later one is longer by as much."""
    token_probe_seconds: float = 30.0
    """How often a refused bot token is tried: Slack sends nothing to a bot that is not ready."""
    token_probe_timeout: float = 10.0

    view_timeout: float = 10.0
    """One call that updates or publishes a view."""
    view_settle_seconds: float = 0.5
    """How long after a submission the first update of its modal waits, so that the acknowledgement comes first."""
    trigger_seconds: float = 3.0
    """The lifetime of a trigger_id; a later call cannot succeed."""
    home_section_timeout: float = 10.0
    """One section of a Home tab."""
    catalog_timeout: float = 4.0
    """The list of applications in the form."""
    catalog_cache_seconds: float = 60.0

    body_timeout: float = 5.0
    """The body of an HTTP request."""
    large_body_min_seconds: float = 0.25
    """After this time a newer large body may displace a large body."""
    clock_window_seconds: float = 60.0
    """The time in which several signed requests with a stale timestamp, and no fresh one, show a wrong clock."""
    heartbeat_seconds: float = 5.0
    """Interval of pings; a Socket Mode connection without a pong within half of it is replaced."""
    hello_timeout: float = 10.0
    """A Socket Mode connection from its opening to Slack's hello."""
    close_timeout: float = 2.0
    max_leaving_seconds: float = 30.0
    """How long a replaced connection is still read, beside its successor; Slack closes it earlier."""
    ghost_seconds: float = 6 * 3600.0
    """How long Slack may count a connection that ended without a closing handshake; users measured five hours:
    https://github.com/slackapi/python-slack-sdk/issues/1940 ."""


SLACK_TIMING = SlackTiming()
"""The values of a real bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverBounds:
    """How much the bot takes in at once."""

    connections: int = 500
    """Open HTTP connections. Slack uses a few; through a proxy, fewer."""
    waiting_bodies: int = 200
    """Incomplete bodies: far below `connections`, so that slow senders never hold all connections. A body that arrives
    with its headers does not count."""
    envelopes: int = 1000
    """Envelopes of a Socket Mode connection; beyond that it is not read, and Slack waits."""
    callbacks: int = 20
    """Returns from a sign-in: each asks the database and Genesys, and anybody can send one."""


RECEIVER_BOUNDS = ReceiverBounds()
"""The values of a real bot."""


@dataclass(frozen=True, slots=True)
class StorageTiming:
    """Durations of the database layer, in seconds. The comment of each names the database if only one uses it."""

    write_delay_seconds: float = 0.005
    """SQLite: how long `created` and `answered` may wait to share a transaction with later writes. Nobody waits for
    `answered`; who waits for `created` has waited for Genesys, at least ten times as long."""
    busy_timeout_seconds: float = 10.0
    """SQLite: how long a connection waits for the short writes of another process."""
    sweep_pause_seconds: float = 0.01
    """Pause between two writes of a sweep, in which other writes get their turn."""
    connect_timeout_seconds: float = 5.0
    """Postgres: for each connection that is opened or closed outside the pool."""
    pool_timeout_seconds: float = 1.0
    """Postgres: how long a statement waits for a free connection of the pool."""
    statement_timeout_seconds: float = 1.5
    """Postgres: for one statement."""
    accept_timeout_seconds: float = 2.2
    """Postgres: for the whole of `accept`, because Slack waits for the acknowledgement."""
    unclaimed_after_seconds: float = 10.0
    """Postgres: age at which a request that this replica owns but does not work on is taken up. Longer than any call
    of the store lasts."""
    account_lock_seconds: float = 15.0
    """Postgres: how long an account's row may stay locked while Genesys is asked, and how long others wait for it."""
    lock_check_seconds: float = 2.0
    """Postgres: how often a replica asks the server whether it still takes writes, and the timeout of that query."""
    server_move_seconds: float = 30.0
    """Postgres: how long replicas have, after a failover or restart, to take their locks on the new server."""
