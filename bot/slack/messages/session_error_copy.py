"""What happened and what to do next, for what goes wrong with sessions that exist, and with links (pure, mrkdwn)."""

from bot.core import errors
from bot.core.errors import CobrowseError, NobodyNamedError, StepsOffError
from bot.core.models import MembershipStatus, UserId
from bot.slack.error_codes import explain
from bot.slack.messages.blocks import escape

STANDINGS = {
    MembershipStatus.MEMBER: "Members",
    MembershipStatus.GUEST: "Guests",
    MembershipStatus.BOT: "Bots",
    MembershipStatus.DEACTIVATED: "Deactivated people",
    MembershipStatus.OUTSIDER: "People from outside this workspace",
}
_SHARING = {
    "outside": (
        "People of other organisations are in this channel, so the session is not shared here.",
        "Share it in a channel of your own, or send the link to whom it is for.",
    ),
    "unclear": (
        "Slack does not say whether people of other organisations are in this channel, so nothing is shared here.",
        "Share it in another channel, or send the link to whom it is for.",
    ),
    "uninvited": (
        "I am not in this channel, so I cannot share the session here.",
        "Invite me to the channel and press Share again, or send the link yourself.",
    ),
    "closed": (
        "Slack does not let me post in this channel.",
        "Share the session in another channel, or send the link to whom it is for.",
    ),
    "group": (
        "This is a group message, where no app can be, so I cannot share the session here.",
        "Pass the link on yourself.",
    ),
    "direct": (
        "This is no channel, so there is nobody to share the session with.",
        "Type `{command} last` in the channel, and press Share there.",
    ),
}


def of_a_session(error: CobrowseError, contact: str) -> tuple[str, str] | None:
    """The two sentences; None for an error that is about something else. `contact` is whom to ask."""
    ask = f"Ask {contact} if that should be different."
    return _allowed(error, ask) or _possible(error) or _told_others(error, contact)


def _allowed(error: CobrowseError, ask: str) -> tuple[str, str] | None:
    match error:
        case errors.SessionAccessError(code="may_not_end", agent=agent, requester=requester):
            return f"Only {_whose(agent, requester)}, supervisors and administrators may end this session.", ask
        case errors.SessionAccessError(code="may_not_read_link", agent=agent, requester=requester):
            return f"Only {_whose(agent, requester)} may have the link of this session.", f"Ask them for it. {ask}"
        case errors.RoleRequiredError(code="supervisors_only"):
            return "That is for supervisors and administrators.", ask
        case errors.RoleRequiredError(code="administrators_only"):
            return "Only administrators may say who hosts as whom.", ask
        case StepsOffError():
            return "Workflows may not start co-browse sessions here.", ask
    return None


def _possible(error: CobrowseError) -> tuple[str, str] | None:
    match error:
        case errors.SessionActionError(code="no_open_session", ever=True):
            return "You have no open session.", "Type `{command}` to start one."
        case errors.SessionActionError(code="no_open_session"):
            return "You have had no session that I remember.", "Type `{command}` to start one."
        case errors.SessionActionError(code="session_not_found"):
            return "I know no session by that id.", "Type `{command} status` to see the open ones."
        case errors.SessionActionError(code="several_open_sessions", sessions=sessions):
            which = "; ".join(f"`{escape(each)}` {escape(name)}" for each, name in sessions[:10])
            return "You have several sessions open, and none was ended.", f"Say which, or use `status`: {which}."
        case NobodyNamedError():
            return "The step names nobody whose session it is to be.", "Choose a person for its input “agent”."
        case errors.AccountLinkError(code="not_linked"):
            return (
                "There is no link for that person.",
                "The other rules decide who hosts as whom.",
            )
        case errors.AccountLinkError(code="no_such_host", why=why):
            return f"Nobody was linked: {escape(why)}.", "Check the address, or give the Genesys user's id."
        case errors.SessionActionError(code="already_ended"):
            return "This session is over already.", "Start a new one when you need it."
    return None


def _told_others(error: CobrowseError, contact: str) -> tuple[str, str] | None:
    match error:
        case errors.SharingError(code="share_refused", why=why):
            return _SHARING.get(why, _SHARING["closed"])
        case errors.SharingError(code="share_outcome_unknown", is_direct=True):
            what = "Nobody knows whether the session stands in your direct messages now, so it was not sent again."
            return what, "Look there; if you do not see it, press Send to me once more."
        case errors.SharingError(code="share_outcome_unknown"):
            what = "Nobody knows whether the session stands in the channel now, so it was not shared again."
            return what, "Look there; if you do not see it, press Share once more."
        case errors.SharingError(code="message_not_posted", slack_error=code, passes=True):
            return f"Slack did not take the message ({escape(code)}).", _LATER
        case errors.SharingError(code="message_not_posted", slack_error=code):
            return _not_posted(code, contact)
        case errors.SessionActionError(code="already_shared"):
            return "This session stands in the channel already.", "Look further up, or in a minute."
    return None


def _not_posted(code: str, contact: str) -> tuple[str, str]:
    row = explain(code)
    return f"Slack did not take the message ({escape(code)}). {row.person}", f"Tell {contact}. {row.mend}".strip()


_LATER = "Try again in a minute."


def of_another_request(error: CobrowseError, contact: str) -> tuple[str, str] | None:
    """The same for a request that was to start no session; None where the usual words fit."""
    ask = f"Ask {contact} if that should be different."
    match error:
        case errors.PersonNotAllowedError(code="not_a_member", standing=standing, is_target=False):
            return f"{STANDINGS[standing]} cannot start co-browse sessions, nor do anything with them.", ask
        case errors.ChannelNotAllowedError(allowed=allowed):
            places = ", ".join(f"<#{channel}>" for channel in allowed[:5])
            return "Co-browse sessions cannot be shared in this channel.", f"Use {places}, or ask {contact}."
        case errors.NotReadyError(code="shutting_down"):
            return "The bot is restarting, so nothing was done.", "Try again in a few seconds."
        case errors.NotReadyError(code="overloaded"):
            return "The bot has more requests to answer than it can, so nothing was done.", _LATER
        case errors.StorageUnavailableError():
            return "The bot's database does not answer.", _LATER
        case errors.ServiceBusyError() | errors.QueueTooLongError():
            return "Genesys is too busy: it turned the request down.", _LATER
        case errors.OutcomeUnknownError():
            return "Genesys did not answer the request.", _LATER
        case errors.ServiceUnreachableError():
            return "The bot cannot reach Genesys.", _LATER
        case errors.UnusableAnswerError(why=why):
            return f"Genesys answered with {escape(why)}.", f"Tell {contact}."
        case errors.InterruptedRequestError(code="interrupted"):
            return "The bot was restarted in the middle of it.", "Try again."
    return None


def _whose(agent: UserId, requester: UserId) -> str:
    return f"<@{agent}>" if agent == requester else f"<@{agent}> and <@{requester}>"
