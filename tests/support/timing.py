"""Define shorter durations than the bot's defaults, for tests that have to wait for them."""

from bot.core.timing import CoreTiming, RunTiming, SlackTiming

EARLY_NOTICES = CoreTiming(run=RunTiming(first_notice_seconds=0.1))
SHORT_WAITS_ANNOUNCED = CoreTiming(run=RunTiming(min_wait_notice_seconds=1.0))
IMPATIENT = CoreTiming(
    run=RunTiming(save_timeout=0.3, answered_timeout=0.3, retry_seconds=0.05), last_posts_seconds=0.3
)
FRESH_STATUS = CoreTiming(status_cache_seconds=0.0)
FRESH_PEOPLE = SlackTiming(repeat_seconds=0.01, people_cache_seconds=0.0)
