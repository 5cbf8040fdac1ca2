"""Hold the sentences about a session's state: the customer joined, the session is over, or nobody joined (pure)."""

from bot.core.models import SessionEnding, SessionPhase, SessionRecord
from bot.slack.messages.catalogue.sentence import TITLE_LENGTH, Language, Markup, Value, label, mention, said

JOINED_AT = said("state.joined_at", "customer joined {time}")
JOINED = said("state.joined", "customer joined")
WAITING = said("state.waiting", "waiting for the customer, {left}")
OVER_AFTER = said("state.over_after", "*{name}* · ended {time}, after {wait}")
OVER = said("state.over", "*{name}* · ended {time}")
OVER_AFTER_WITH = said("state.over_after_with", "*{name}* with {agent} · ended {time}, after {wait}")
OVER_WITH = said("state.over_with", "*{name}* with {agent} · ended {time}")
UNUSED = said("state.unused", "*{name}* · closed {time}, nobody joined")
UNUSED_WITH = said("state.unused_with", "*{name}* with {agent} · closed {time}, nobody joined")
_OVER = {
    (True, False): OVER_AFTER,
    (True, True): OVER_AFTER_WITH,
    (False, False): OVER,
    (False, True): OVER_WITH,
}
"""The sentence for a session that is over. Each key has two flags.

- The time from the customer's join to the end is known.
- The sentence names the agent.
"""
ENDINGS = {
    SessionEnding.CUSTOMER: said("state.customer_left", "The customer left."),
    SessionEnding.AGENT: said("state.agent_ended", "It was ended in Genesys."),
    SessionEnding.TIMED_OUT: said("state.timed_out", "It timed out."),
    SessionEnding.FAILED: said("state.failed", "The connection failed."),
}
YOUR_CUSTOMER = said("state.your_customer", "Your customer joined *{name}*.")
CUSTOMER_OF = said("state.customer_of", "The customer of {agent} joined *{name}*.")
NOBODY = said("state.nobody", "Nobody joined “{name}”.")
OPEN_VIEWER = label("state.open_viewer", "Open viewer", limit=TITLE_LENGTH)


def joined(record: SessionRecord, language: Language) -> str:
    """Render that the customer joined the session, with the time if it is known."""
    at = record.state.joined_at
    return language.say(JOINED_AT, time=at) if at else language.say(JOINED)


def ended(record: SessionRecord, language: Language, *, names_agent: bool) -> str:
    """Render how a session ended, as Genesys reports it; "" if Genesys has not reported the end.

    Also return "" if a session with an application ended, and Genesys reports neither when the customer joined nor why
    the session ended.

    `names_agent`: whether the text names the agent.
    """
    state, at = record.state, record.ended_at or record.session.ends_at
    values: dict[str, Value] = {"name": record.session.name, "agent": mention(record.agent), "time": at}
    if state.phase is SessionPhase.UNUSED:
        return language.say(UNUSED_WITH if names_agent else UNUSED, **values)
    is_plain = bool(record.session.application_id) and not (state.joined_at or state.ending)
    if state.phase is not SessionPhase.OVER or is_plain:
        return ""
    seconds = (at - state.joined_at).total_seconds() if state.joined_at else 0.0
    wait = Markup(language.wait(seconds))
    text = language.say(_OVER[seconds > 0, names_agent], **values, wait=wait)
    return f"{text}\n{language.say(ENDINGS[state.ending])}" if state.ending else text
