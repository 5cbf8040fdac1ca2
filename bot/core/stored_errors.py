"""Convert errors to JSON records and back, so that the database can hold the error of a failed request (pure)."""

from collections.abc import Iterator
from dataclasses import Field, asdict, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.errors import CobrowseError, RuleMiss, UnexpectedError
from bot.core.models import ConversationId, MembershipStatus
from bot.core.validation.conversations import LiveConversation

CODES_OF_OLD_NAMES = {
    "StoreUnavailable": "storage_unavailable",
    "OtherWorkspace": "wrong_workspace",
    "ChannelNotAllowed": "channel_not_allowed",
    "NotAMember": "not_a_member",
    "NotListed": "not_listed",
    "MayNotActForOthers": "may_not_act_for_others",
    "HostNotFound": "host_not_found",
    "SlackUnavailable": "slack_unavailable",
    "SignInRefused": "token_refused",
    "OAuthRefused": "oauth_refused",
    "Forbidden": "permission_missing",
    "InvalidHost": "invalid_host",
    "UnknownApplication": "unknown_application",
    "BadRequest": "bad_request",
    "Busy": "service_busy",
    "TooManyWaiting": "queue_too_long",
    "ServiceFault": "service_fault",
    "OutcomeUnknown": "outcome_unknown",
    "Unreachable": "service_unreachable",
    "UnusableAnswer": "unusable_answer",
    "NoSuchSession": "session_unknown_to_service",
    "Interrupted": "interrupted",
    "NotBegun": "not_started",
    "SessionOver": "session_over",
    "Unexpected": "unexpected",
    "NoConversation": "no_conversation",
    "NotInConversation": "not_in_conversation",
    "SeveralConversations": "several_conversations",
    "ConnectOff": "connect_off",
    "NotConnected": "not_connected",
    "UserContextNeeded": "connect_required",
    "ConnectAgain": "reconnect_required",
    "PersonLacks": "user_permission_missing",
    "ConnectLinkGone": "connect_link_expired",
    "ConnectDenied": "connect_denied",
    "NotThatPerson": "connect_wrong_user",
    "SignInFailed": "connect_failed",
    "SendingOff": "sending_off",
    "BadAddress": "invalid_address",
    "CountryNotAllowed": "country_not_allowed",
    "NoLinkToSend": "no_link_to_send",
    "LinkUsedUp": "link_used_up",
    "TextTooLong": "text_too_long",
    "NothingOpen": "no_open_session",
    "SessionNotFound": "session_not_found",
    "SeveralOpen": "several_open_sessions",
    "MayNotEnd": "may_not_end",
    "MayNotRead": "may_not_read_link",
    "LeadsOnly": "supervisors_only",
    "AdminsOnly": "administrators_only",
    "ShareRefused": "share_refused",
    "ShareUnknown": "share_outcome_unknown",
    "NotPosted": "message_not_posted",
    "NotLinked": "not_linked",
    "NoSuchHost": "no_such_host",
    "StepsOff": "workflow_steps_off",
    "NobodyNamed": "workflow_agent_missing",
    "EndedAlready": "already_ended",
    "SharedAlready": "already_shared",
}
"""Maps old class names to codes. An early version of the bot stored the class name of an error, in the field "error",
because errors had no codes yet."""
FIELDS_OF_OLD_RECORDS = {
    "oauth_refused": {"code": "oauth_error"},
    "connect_failed": {"code": "oauth_error"},
    "slack_unavailable": {"code": "slack_error"},
    "message_not_posted": {"code": "slack_error"},
}
"""The new name of each renamed field, by error code and old name. Only records of the early version have old names (see
CODES_OF_OLD_NAMES)."""
FIELDS_OF_DETAILS = {
    "sending_off": "medium",
    "invalid_address": "why",
    "country_not_allowed": "country",
    "text_too_long": "most",
}
"""Maps the codes of SendRejectedError to the field of a record that holds the error's `detail`."""
REQUIRED_FIELDS = {
    "interrupted": "maybe_created",
    "may_not_act_for_others": "target",
    "connect_off": "why",
    "no_such_host": "why",
    "several_open_sessions": "sessions",
    "share_refused": "why",
    "message_not_posted": "slack_error",
    "not_in_conversation": "conversation_id",
    "conversation_kind_not_supported": "kinds",
    "not_a_member": "standing",
}
"""Maps error codes to a field that a record must contain, although the error's class has a default for this field.
Without the field, `from_record` returns UnexpectedError."""


def field_names(kind: type[CobrowseError], code: str) -> tuple[str, ...]:
    """Return the names of an error's fields that the database stores. `kind`, `code`: the error's class and code."""
    every: tuple[Field[Any], ...] = fields(kind) if is_dataclass(kind) else ()
    return tuple(each.name for each in every if code in each.metadata.get("codes", (code,)))


def to_record(error: CobrowseError) -> dict[str, Any]:
    """Convert an error to a record: its code and fields, as JSON values. Leave out secrets and customers' names."""
    every: dict[str, Any] = asdict(error) if is_dataclass(error) else {}
    values = {name: every[name] for name in field_names(type(error), error.code)}
    if candidates := values.get("candidates"):
        values["candidates"] = [{"id": one["id"], "since": one["since"].isoformat()} for one in candidates]
    for miss in values.get("tried", ()):
        if not miss["people"]:  # an earlier version cannot read it
            del miss["people"]
    if error.code in FIELDS_OF_DETAILS:
        values[FIELDS_OF_DETAILS[error.code]] = values.pop("detail")
    return {"code": error.code, **values}


def from_record(record: dict[str, Any]) -> CobrowseError:
    """Convert a record to the error. Return UnexpectedError if this version of the bot cannot read the record.

    The `maybe_created` of this UnexpectedError is True, because the unreadable error may follow a call with an effect.
    """
    record = _of_this_version(record)
    code = record.get("code")
    if not isinstance(code, str) or REQUIRED_FIELDS.get(code, "code") not in record:
        return UnexpectedError(maybe_created=True)
    for kind in _kinds(CobrowseError):
        if code in kind.possible_codes():
            known = set(field_names(kind, code))
            try:
                return kind(**{name: _value(name, record[name]) for name in known & set(record)})
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
                break
    return UnexpectedError(maybe_created=True)


def _of_this_version(record: dict[str, Any]) -> dict[str, Any]:
    name = record.get("error")
    if isinstance(name, str) and name in CODES_OF_OLD_NAMES:
        code = CODES_OF_OLD_NAMES[name]
        renamed = FIELDS_OF_OLD_RECORDS.get(code, {})
        record = {renamed.get(field, field): value for field, value in record.items() if field != "error"}
        record["code"] = code
    return _with_detail(record)


def _with_detail(record: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a SendRejectedError's record, with the field `detail` added.

    Its value is the text of the field that FIELDS_OF_DETAILS names. Return `record` itself if it lacks the named field,
    or if it is the record of another error.
    """
    code = record.get("code")
    name = FIELDS_OF_DETAILS.get(code) if isinstance(code, str) else None
    return record | {"detail": str(record[name])} if name in record else record


def _kinds(kind: type[CobrowseError]) -> Iterator[type[CobrowseError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _value(name: str, value: Any) -> Any:
    if name == "standing":
        return MembershipStatus(value)
    if name == "tried":
        return tuple(RuleMiss(miss["rule"], miss["why"], tuple(miss.get("people", ()))) for miss in value)
    if name == "candidates":
        return tuple(_candidate(**candidate) for candidate in value)
    return tuple(_value("", each) for each in value) if isinstance(value, list) else value


def _candidate(*, id: str, since: str, **_of_newer_versions: Any) -> LiveConversation:
    return LiveConversation(ConversationId(id), datetime.fromisoformat(since).astimezone(UTC))
