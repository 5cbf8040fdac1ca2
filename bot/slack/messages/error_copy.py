"""An error -> what happened and what to do next: every sentence a person reads about a failure (pure, mrkdwn).

The layout is in renderer.py. Text that a person or a server wrote is escaped here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core import errors
from bot.core.errors import CobrowseError
from bot.core.validation.conversations import LiveConversation
from bot.slack.error_codes import explain
from bot.slack.messages.account_error_copy import of_connecting
from bot.slack.messages.blocks import FAR, date, duration, escape
from bot.slack.messages.sending_error_copy import of_a_sending
from bot.slack.messages.session_error_copy import STANDINGS, of_a_session, of_another_request

STATUS_PAGE = "status.mypurecloud.com"
MOST_LISTED = 10
COMMAND = "{command}"
"""Stands in the sentences for what people type here."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What happened, and what to do now."""

    what: str
    next: str


WORTH_SAYING_SECONDS = 30.0


def error_copy(
    error: CobrowseError, contact: str, *, command: str = "/cobrowse", starting: bool = True, sending: bool = False
) -> Copy:
    """The words for any error; `contact` is whom to ask, in mrkdwn, `command` what to type. `starting`: a session was
    to be started; `sending`: a link was to be sent."""
    said = _said(error, contact, starting, sending)
    return Copy(said.what.replace(COMMAND, command), said.next.replace(COMMAND, command))


def _said(error: CobrowseError, contact: str, starting: bool, sending: bool) -> Copy:
    if words := of_a_sending(error, contact, pressed=sending):
        return Copy(*words)
    if words := of_connecting(error, contact, starting=starting):
        return Copy(*words)
    if not starting and (words := of_another_request(error, contact)):
        return Copy(*words)
    for speak in (_refusal, _set_up, _order, _conversation, _passing, _our_own):
        if said := speak(error, contact):
            return said if starting else Copy(said.what.removesuffix(f" {_NONE}"), said.next)
    if words := of_a_session(error, contact):
        return Copy(*words)
    return Copy("Something went wrong on the bot's side.", f"Try again; if it stays so, tell {contact}.")


def _refusal(error: CobrowseError, contact: str) -> Copy | None:
    ask = f"Ask {contact} if that should be different."
    match error:
        case errors.OtherWorkspaceError():
            return Copy("This bot does not serve your workspace.", ask)
        case errors.ChannelNotAllowedError(channel_id=channel_id, allowed=allowed):
            places = ", ".join(f"<#{channel}>" for channel in allowed[:5])
            here = "in this channel" if channel_id else "from here"
            return Copy(f"Co-browse sessions cannot be started {here}.", f"Use {places}, or ask {contact}.")
        case errors.PersonNotAllowedError(code="not_a_member", standing=standing, is_target=False):
            return Copy(f"{STANDINGS[standing]} cannot start co-browse sessions.", ask)
        case errors.PersonNotAllowedError(code="not_a_member", user_id=user_id, standing=standing):
            what = f"<@{user_id}> cannot host a co-browse session: {STANDINGS[standing].lower()} are not allowed to."
            return Copy(what, ask)
        case errors.PersonNotAllowedError(code="not_listed", is_target=False):
            return Copy("You are not on the list of people who may start co-browse sessions.", ask)
        case errors.PersonNotAllowedError(code="not_listed", user_id=user_id):
            return Copy(f"<@{user_id}> is not on the list of people who may have co-browse sessions.", ask)
        case errors.RoleRequiredError(code="may_not_act_for_others", target=target):
            what = f"Only supervisors may start a session for somebody else, so none was started for <@{target}>."
            return Copy(what, f"Let <@{target}> type `{COMMAND}`, or ask {contact} to make you a supervisor.")
        case errors.HostNotFoundError(user_id=user_id, is_target=is_target, tried=tried):
            who = f"<@{user_id}> is" if is_target else "You are"
            reasons = "; ".join(f"{escape(miss.rule)}: {escape(miss.why)}" for miss in tried) or "no rule is set up"
            what = f"{who} not linked to a Genesys user, so there is nobody to host the session."
            return Copy(what, f"Ask {contact} to set that up. (Tried: {reasons}.)")
    return None


_NONE = "No session was started."


def _set_up(error: CobrowseError, contact: str) -> Copy | None:
    tell = f"Tell {contact}."
    match error:
        case errors.TokenRefusedError():
            return Copy(f"The bot's own sign-in to Genesys is broken: its token is refused. {_NONE}", tell)
        case errors.LoginRefusedError(code="oauth_refused"):
            return _login_refused(error, tell)
        case errors.PermissionMissingError(code="permission_missing", needs=needs, words=words):
            where = "under Admin › Integrations › OAuth, at the bot's client"
            if words:
                what = f"Genesys does not let the bot do this: “{escape(words)}” {_NONE}"
                then = f"A role with `{escape(needs)}` in that division is added in Genesys Cloud {where}"
                return Copy(what, f"{tell} {then}; no restart is needed.")
            what = f"The bot may not do this in Genesys: its OAuth client lacks `{escape(needs)}`. {_NONE}"
            return Copy(what, f"{tell} In Genesys Cloud it is added {where}; no restart is needed.")
        case errors.SlackUnavailableError(slack_error=code, passes=True):
            return Copy(
                f"Slack would not say who is who just now ({escape(code)}).",
                f"Try again; if it stays so, tell {contact}.",
            )
        case errors.SlackUnavailableError(slack_error=code):
            row = explain(code)
            return Copy(f"Slack does not say who is who ({escape(code)}). {row.person}", f"{tell} {row.mend}".strip())
    return None


def _login_refused(error: errors.LoginRefusedError, tell: str) -> Copy:
    code = error.oauth_error
    said = f"({escape(code)}): “{escape(error.words)}”" if error.words else f"({escape(code)})."
    what = f"Genesys refuses the bot's own sign-in {said} {_NONE}"
    if code == "invalid_scope":
        return Copy(what, f"{tell} A scope the client lacks can be left out with GENESYS_SCOPES.")
    if error.is_about_address:
        then = "Genesys may refuse the network address that the bot calls from"
        return Copy(what, f"{tell} {then}: the addresses that the OAuth client allows have to be checked.")
    if code == "unauthorized_client":
        return Copy(what, f"{tell} The OAuth client needs the grant type Client Credentials.")
    then = "GENESYS_REGION has to be checked first, since a client is known in its own region alone"
    return Copy(what, f"{tell} {then}; then the OAuth client's id, key or secret.")


def _order(error: CobrowseError, contact: str) -> Copy | None:
    match error:
        case errors.InvalidHostError(host_id=host_id):
            what = f"Genesys does not accept `{escape(host_id)}` as a host. {_NONE}"
            then = "that this user exists, is active and has a co-browse licence."
            return Copy(what, f"Ask {contact} to check {then}")
        case errors.UnknownApplicationError(application_id=used, known=known):
            listed = ", ".join(f"`{escape(known_id[:60])}`" for known_id in known[:20])
            there = f"The ids there are: {listed}." if listed else "The list of ids could not be read."
            return Copy(
                f"Genesys knows no application `{escape(used[:60])}`. {_NONE} {there}",
                f"Ask {contact} to put one that exists into COBROWSE_APPLICATION_ID.",
            )
        case errors.BadRequestError(status=status, words=words):
            what = f"Genesys refused the request ({status}): “{escape(words)}”"
            return Copy(what, f"Tell {contact} if you cannot see why.")
        case errors.UnknownSessionError():
            return Copy("Genesys cannot end this session on demand.", "It ends by itself when its time is up.")
    return None


def _conversation(error: CobrowseError, contact: str) -> Copy | None:
    name_it = "type `{command}` with the interaction's id or address behind it"
    match error:
        case errors.NoUsableConversationError(code="no_conversation"):
            what = f"Genesys shows no customer who is talking to the host right now. {_NONE}"
            return Copy(what, f"If the conversation has only just begun, try again in a few seconds, or {name_it}.")
        case errors.NoUsableConversationError(code="not_in_conversation", conversation_id=conversation_id):
            what = f"The host is not connected to the conversation `{escape(conversation_id)}`, or it is over. {_NONE}"
            return Copy(what, "Answer it first, or check that it is the right one.")
        case errors.NoUsableConversationError(code="conversation_kind_not_supported", kinds=kinds):
            what = f"{_cannot_cobrowse(kinds)} {_NONE}"
            return Copy(what, "It works in calls and in messages with a customer: start it once you are in one.")
        case errors.SeveralConversationsError(candidates=candidates):
            what = f"The host is in several conversations: {_listed(candidates)}. {_NONE}"
            return Copy(what, f"Say which one is meant: {name_it}.")
    return None


_KINDS = {
    "chat": "a web chat",
    "callback": "a callback that was not dialled yet",
    "email": "an e-mail",
    "social": "a social post",
    "video": "a video call",
    errors.INTERNAL: "a conversation without a customer",
}


def _cannot_cobrowse(kinds: Sequence[str]) -> str:
    named = " and ".join(_KINDS.get(kind, "a conversation of another kind") for kind in kinds)
    return f"The host is in {named}, where Genesys cannot co-browse."


def candidate(one: LiveConversation) -> str:
    """A conversation, as people tell it from others."""
    since = date(one.since, with_day=datetime.now(UTC) - one.since > FAR)
    return f"{escape(one.customer) or 'a customer'} since {since}, `{escape(one.id)}`"


def _listed(candidates: Sequence[LiveConversation]) -> str:
    shown = [candidate(one) for one in candidates[:MOST_LISTED]]
    more = len(candidates) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _passing(error: CobrowseError, contact: str) -> Copy | None:
    unknown = "Nobody knows whether a session was created, so it was not asked for again."
    check = "If you see none in Genesys, try again; one that nobody uses ends by itself."
    match error:
        case errors.ServiceBusyError(retry_after=seconds):
            told = seconds is not None and WORTH_SAYING_SECONDS <= seconds < math.inf
            when = f"Try again in about {duration(seconds or 0)}." if told else _LATER
            return Copy("Genesys is too busy: it turned the request down. No session was created.", when)
        case errors.QueueTooLongError(wait_seconds=seconds):
            what = "Too many people wait for Genesys, so your turn would come too late. No session was created."
            return Copy(what, f"Try again in about {duration(seconds)}.")
        case errors.ServiceFailedError():
            what = "Genesys has a fault of its own: it failed three times in a row."
            return Copy(what, f"Try again in a few minutes; {STATUS_PAGE} shows how Genesys is doing.")
        case errors.OutcomeUnknownError():
            return Copy(f"Genesys did not answer the request. {unknown}", check)
        case errors.ServiceUnreachableError():
            return Copy("The bot cannot reach Genesys, so no session was created.", _LATER)
        case errors.UnusableAnswerError(why=why, acted=True):
            return Copy(f"Genesys answered with {escape(why)}. {unknown}", f"{check} If it stays so, tell {contact}.")
        case errors.UnusableAnswerError(why=why):
            return Copy(f"Genesys answered with {escape(why)}. No session was created.", f"Tell {contact}.")
        case errors.UnexpectedError(maybe_created=True):
            return Copy(
                f"Something went wrong on the bot's side. {unknown}", f"{check} If it stays so, tell {contact}."
            )
        case errors.InterruptedRequestError(code="interrupted", maybe_created=True):
            return Copy(f"The bot was restarted in the middle of it. {unknown}", check)
        case errors.InterruptedRequestError(code="interrupted"):
            return Copy("The bot was restarted before it got to it. No session was created.", "Try again.")
        case errors.InterruptedRequestError(code="not_started"):
            return Copy("The bot's database went away before anything was sent. No session was created.", "Try again.")
        case errors.InterruptedRequestError(code="session_over"):
            return Copy("The bot was restarted, and meanwhile your session has come to its end.", "Try again.")
    return None


_LATER = "Try again in a minute."


def _our_own(error: CobrowseError, contact: str) -> Copy | None:
    match error:
        case errors.NotReadyError(code="shutting_down"):
            return Copy("The bot is restarting, so nothing was started.", "Type it again in a few seconds.")
        case errors.RateLimitedError(code="too_many_starts", limit=most, wait_seconds=seconds, everybody=everybody):
            who = "All of you together" if everybody else "You"
            what = f"{who} may start {most} sessions a minute, and that many were started."
            return Copy(what, f"Try again in {duration(seconds)}; `last` shows a link you lost.")
        case errors.RateLimitedError(code="too_many_inquiries", limit=most, wait_seconds=seconds):
            what = f"You reached your limit of {most} commands and button presses per minute, so nothing was done."
            return Copy(what, f"Try again in {duration(seconds)}.")
        case errors.NotReadyError(code="overloaded"):
            return Copy("The bot has more requests to answer than it can, so nothing was started.", _LATER)
        case errors.StorageUnavailableError():
            return Copy("The bot cannot write down your request, so nothing was started.", _LATER)
        case errors.MaybeAcceptedError():
            what = "The bot's database does not answer, so nobody knows whether your request was written down."
            return Copy(what, "If no answer comes within a minute, type `{command}` again.")
        case errors.RetryRejectedError(code="not_your_request"):
            return Copy("Only the person who asked for the session can try again.", "Type `{command}` yourself.")
        case errors.RetryRejectedError(code="already_retried"):
            return Copy("This was tried again already.", "Look for the answer below, or type `{command}` anew.")
        case errors.RetryRejectedError(code="request_forgotten"):
            return Copy("The bot does not remember this request any more.", "Type `{command}` anew.")
    return None
