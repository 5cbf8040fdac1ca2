"""Hold every tunable duration of the core, in seconds. They are passed in; tests pass shorter ones."""

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
class CoreTiming:
    """All durations of the core.

    `last_posts_seconds`: the part of a shutdown that is left for telling requesters that their request was
    interrupted. `status_cache_seconds`, `status_timeout`: how long the service's answer about a session is kept, and
    how long it may take. `link_lifetime_seconds`: how long a sign-in link is valid. `lookup_timeout`: how long Slack,
    and then Genesys, may take to say whose sign-in link it was.
    """

    run: RunTiming = field(default_factory=RunTiming)
    recovery: RecoveryTiming = field(default_factory=RecoveryTiming)
    last_posts_seconds: float = 3.0
    status_cache_seconds: float = 10.0
    status_timeout: float = 5.0
    link_lifetime_seconds: float = 600.0
    lookup_timeout: float = 10.0
