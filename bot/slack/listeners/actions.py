"""Listen for button presses, and submit each press as a request.

cards.py listens for the buttons of session cards. This module also listens for the buttons of cards that earlier
versions of the bot posted.

Everybody who sees a button can press it, so the worker checks what the person may do. The button OPEN_ACTION is a link.
Its listener only acknowledges the press, because Slack shows a warning after a press without an acknowledgement.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import CobrowseError, NotAcceptedError, RetryRejectedError
from bot.core.models import (
    CARD_KEY,
    ROW_KEY,
    TRY_AGAIN_KEY,
    ChannelId,
    Request,
    RequestId,
    RequestKind,
    TeamId,
    UserId,
    new_request_id,
)
from bot.core.ports import StoredRequest
from bot.core.requests.service import RequestService
from bot.core.results import Help
from bot.core.start_details import StartDetails
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.channels import GROUP_MESSAGE_PREFIX
from bot.slack.api.responder import SlackResponder
from bot.slack.api.views import Views
from bot.slack.command_parser import ALL
from bot.slack.messages.ambiguity import chosen_already
from bot.slack.messages.blocks import OPEN_ACTION, Message
from bot.slack.messages.catalogue.sentence import Language, Sentence
from bot.slack.messages.conversation_choice import PICK_ACTION, REPLACE_ACTION, read_pick, read_replace
from bot.slack.messages.failures.buttons import (
    START_WITH_ACTIONS,
    TELL_ACTION,
    TRY_AGAIN_ACTION,
    read_start_with,
)
from bot.slack.messages.help import HELP_ALL_ACTION, HELP_SESSIONS_ACTION, HELP_START_ACTION
from bot.slack.messages.notices.access import ASK_ACTION
from bot.slack.messages.notices.faults import CHECK_ACTION
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.messages.session_card import DIRECT_ACTION, END_ACTION, SHARE_ACTION
from bot.slack.messages.session_list import LISTED, ROW, read_row
from bot.slack.views.help import all_commands_dialog
from bot.slack.views.session_form import STARTING, TRYING_AGAIN, starting_view

SESSION_ACTIONS = {END_ACTION: RequestKind.END, SHARE_ACTION: RequestKind.SHARE, DIRECT_ACTION: RequestKind.DIRECT}
ACTIONS = {
    **SESSION_ACTIONS,
    CHECK_ACTION: RequestKind.RECHECK,
    ASK_ACTION: RequestKind.ASK,
    TELL_ACTION: RequestKind.TELL,
}
"""The kind of request that each button submits, by action id. The button's value becomes the request's argument."""
HELP_ACTIONS = {
    HELP_START_ACTION: RequestKind.START,
    HELP_SESSIONS_ACTION: RequestKind.STATUS,
    HELP_ALL_ACTION: RequestKind.HELP,
}
"""The kind of request that each button in the help message submits, by action id."""


def register(app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer) -> None:
    """Register the listeners of this module's buttons. `register_help` registers those of the help message."""

    @app.action(OPEN_ACTION)
    async def on_open(ack: AsyncAck) -> None:
        await ack()

    def on_action(action: str, kind: RequestKind) -> None:
        @app.action(action)
        async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
            argument, press = read_press(body)
            if action in SESSION_ACTIONS:
                request = read_card_press(body, kind, argument)
                note_place(responder, body, request)
            else:
                request = replace(
                    press,
                    kind=kind,
                    key=f"{action}:{body.get('trigger_id') or press.id}",
                    argument=argument,
                    target=UserId(argument) if kind is RequestKind.ASK and argument != press.requester else None,
                    replaces=kind is RequestKind.ASK,
                )
            try:
                await requests.submit(request)
            except NotAcceptedError as error:
                responder.tell_soon(request, partial(renderer.answer, request, error))
            await ack()

    for action, kind in ACTIONS.items():
        on_action(action, kind)
    _register_retries(app, requests, responder, renderer)
    _register_replace(app, requests, responder, renderer)


def _register_retries(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listeners of *Try again*, and of the buttons that choose a conversation or an application."""

    @app.action(TRY_AGAIN_ACTION)
    async def on_try_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        failed, _, argument = value.partition(" ")
        press = replace(press, argument=argument or None)
        note_place(responder, body, press)
        try:
            await requests.retry(RequestId(failed), press)
        except (RetryRejectedError, NotAcceptedError) as error:
            if press.reply_url or press.view_id:
                responder.tell_soon(press, partial(renderer.answer, press, error))
        else:
            show_start(responder, renderer, body, press)
        await ack()

    @app.action(PICK_ACTION)
    async def on_pick(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        failed, wanted, argument = read_pick(value)
        press = replace(press, conversation_id=wanted, argument=argument)  # only one choice counts: see `retry`
        note_place(responder, body, press)
        try:
            await requests.retry(failed, press)
        except (RetryRejectedError, NotAcceptedError) as error:
            responder.tell_soon(press, partial(renderer.answer, press, error))
        else:
            show_start(responder, renderer, body, press)
        await ack()

    async def on_start_with(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        failed, application_id, argument = read_start_with(value)
        press = replace(press, application_id=application_id, argument=argument)
        note_place(responder, body, press)
        try:
            await requests.retry(failed, press)
        except (RetryRejectedError, NotAcceptedError) as error:
            responder.tell_soon(press, partial(renderer.answer, press, error))
        else:
            show_start(responder, renderer, body, press)
        await ack()

    for action in START_WITH_ACTIONS:
        app.action(action)(on_start_with)


def show_start(
    responder: SlackResponder,
    renderer: MessageRenderer,
    body: dict[str, Any],
    press: Request,
    doing: Sentence = TRYING_AGAIN,
) -> None:
    """Show `doing` in the modal that contains the pressed button, while the bot starts a session.

    Do nothing if the button is not in a modal, or if the content of the modal has changed since the press.

    - `body`: the payload of the press.
    - `press`: the request of the press.
    - `doing`: the sentence that says what the bot is doing.
    """
    if press.view_id:
        has_copy = not responder.has_no_direct_messages
        view = starting_view(renderer.language_of(press.requester), has_copy=has_copy, doing=doing)
        responder.show_soon(press.view_id, view, str(body["view"].get("hash") or ""))


def _register_replace(
    app: AsyncApp, requests: RequestService, responder: SlackResponder, renderer: MessageRenderer
) -> None:
    """Register the listener of the button that replaces an open session by a new one."""

    @app.action(REPLACE_ACTION)
    async def on_replace(ack: AsyncAck, body: dict[str, Any]) -> None:
        value, press = read_press(body)
        session_id, name, target, wanted = read_replace(value)
        details = StartDetails(replaces=session_id)
        key = f"replace:{session_id}"  # each session can be replaced only once
        press = replace(press, key=key, name=name, target=target, conversation_id=wanted, argument=details.argument)
        note_place(responder, body, press)
        try:
            if earlier := await requests.submit_once(press):
                responder.tell_soon(press, lambda: not_again(renderer, press, earlier, chosen_already))
            else:
                show_start(responder, renderer, body, press, STARTING)
        except NotAcceptedError as error:
            responder.tell_soon(press, partial(renderer.answer, press, error))
        await ack()


def not_again(
    renderer: MessageRenderer, press: Request, earlier: StoredRequest, say: Callable[[Language], Message]
) -> Message:
    """Render the answer to a press that does not count, because the button works only once.

    If the request of the earlier press failed, the answer is its error: the request may have had an effect.

    - `earlier`: the stored request of the earlier press.
    - `say`: renders the answer if this request did not fail.
    """
    if earlier.failure:
        return renderer.answer(replace(earlier.request, requester=press.requester, replaces=False), earlier.failure)
    return say(renderer.language_of(press.requester))


@dataclass(frozen=True, slots=True)
class HelpPresses:
    """Carries out presses on the buttons of the help message: runs a command, or opens the dialog with all commands.

    `find_help`: returns a Help with the role of the request's requester. The dialog shows the commands for this role.
    Raises CobrowseError if the requester gets an error instead of the help.
    """

    requests: RequestService
    responder: SlackResponder
    renderer: MessageRenderer
    views: Views
    find_help: Callable[[Request], Awaitable[Help]]
    timing: SlackTiming = SLACK_TIMING

    async def submit(self, request: Request) -> None:
        """Submit a request. If the request cannot be stored, send the requester the reason."""
        try:
            await self.requests.submit(request)
        except NotAcceptedError as error:
            self.responder.tell_soon(request, partial(self.renderer.answer, request, error))

    async def show_all(self, body: dict[str, Any], request: Request) -> None:
        """Open the dialog with all commands. `body` is the payload of the press.

        If the dialog does not open, submit `request`. The answer to this request is a message with all commands.
        """
        renderer, trigger_id = self.renderer, str(body.get("trigger_id"))
        try:
            async with asyncio.timeout(self.timing.content_timeout):
                found = await self.find_help(request)
        except (CobrowseError, TimeoutError):  # the worker finds the reason again, for the person
            await self.submit(request)
            return
        language = renderer.language_of(request.requester)
        view = all_commands_dialog(renderer.command, found.role, renderer.features, language)
        show = self.views.push if request.view_id else self.views.open
        if await show(trigger_id, view):
            await self.submit(request)


def register_help(app: AsyncApp, presses: HelpPresses) -> None:
    """Register the listeners of the buttons in the help message."""

    def on_help(action: str, kind: RequestKind) -> None:
        @app.action(action)
        async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
            press = read_actor(body)
            is_help = kind is RequestKind.HELP
            request = replace(
                press,
                kind=kind,
                key=f"{action}:{body.get('trigger_id') or press.id}",
                argument=ALL if is_help else None,
            )
            if is_help:
                presses.responder.soon(presses.show_all(body, request))
            else:
                await presses.submit(request)
            await ack()

    for action, kind in HELP_ACTIONS.items():
        on_help(action, kind)


def note_place(responder: SlackResponder, body: dict[str, Any], press: Request) -> None:
    """Record in `responder` which message contains the pressed button.

    If the answer to the press replaces this message with a card, the bot can update the card later. Do nothing if the
    button is in an ephemeral message, a modal or the Home tab.

    - `body`: the payload of the press.
    - `press`: the request of the press.
    """
    container = body.get("container") or {}
    if container.get("message_ts") and not container.get("is_ephemeral"):
        responder.note_place(press.id, press.channel_id, str(container["message_ts"]))


def read_card_press(body: dict[str, Any], kind: RequestKind, session_id: str) -> Request:
    """Build the request for a press on a session card or in a list. `body` is the payload of the press.

    The argument of the request is the session's id. If a button of the kind END is in a list or on the card of another
    session, the argument is `session_id place` instead. `place` names the list page or card that contains the button,
    so that the answer to the request can show the page or card again.
    """
    press, action = read_actor(body), body["actions"][0]
    called = f"{action['action_id']}:{body.get('trigger_id') or press.id}"
    page, _ = read_row(str(action.get("block_id")))
    if page and kind is RequestKind.END:
        argument = f"{session_id} {page}"
        return replace(press, kind=kind, key=f"{ROW_KEY}{called}", argument=argument, replaces=is_private(body))
    return replace(press, kind=kind, key=f"{CARD_KEY}{called}", argument=session_id, replaces=is_in_place(body))


def is_in_place(body: dict[str, Any]) -> bool:
    """Return whether the answer to a press replaces the message or modal that contains the button (pure).

    Return True if only the person who pressed can see the message or modal, and the button is not in a list of
    sessions.
    """
    return is_private(body) and not str(body["actions"][0].get("block_id")).startswith((ROW, LISTED))


def is_private(body: dict[str, Any]) -> bool:
    """Return whether the button is in an ephemeral message, a direct message or a modal (pure).

    Only the person who pressed can see these.
    """
    container, view = body.get("container") or {}, body.get("view") or {}
    is_direct = str(container.get("channel_id", "")).startswith("D")
    return bool(container.get("is_ephemeral")) or is_direct or view.get("type") == "modal"


def read_press(body: dict[str, Any]) -> tuple[str, Request]:
    """Return the value of the pressed button, and a request by the person who pressed.

    The request has the kind START and the key of a press on *Try again*. A caller for another button replaces the key,
    and the kind if the button starts nothing.

    `body`: a `block_actions` payload:
    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    value = str(body["actions"][0]["value"])
    return value, replace(read_actor(body), key=f"{TRY_AGAIN_KEY}{value}", replaces=True)


def read_actor(body: dict[str, Any]) -> Request:
    """Build a Request with the requester, the channel, the response_url and the modal in an interaction payload.

    The request has the kind START and a random key. A caller that submits the request replaces the key, and the kind if
    the request starts nothing.
    """
    user, view = body["user"], body.get("view") or {}
    enterprise = (body.get("enterprise") or {}).get("id")
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    request_id = new_request_id()
    return Request(
        id=request_id,
        key=request_id,
        kind=RequestKind.START,
        team_id=_team(body, enterprise),
        enterprise_id=TeamId(enterprise) if enterprise else None,
        channel_id=ChannelId(channel),
        requester=UserId(user["id"]),
        accepted_at=datetime.now(UTC),
        pressed_at=_pressed_at(body),
        reply_url=body.get("response_url"),
        view_id=str(view["id"]) if view.get("type") == "modal" else None,
        is_group_message=str((body.get("channel") or {}).get("name")).startswith(GROUP_MESSAGE_PREFIX),
    )


def _pressed_at(body: dict[str, Any]) -> datetime | None:
    """Return when the person pressed the button, by Slack's clock; None if the payload does not say it (pure)."""
    pressed: dict[str, Any] = next(iter(body.get("actions") or ()), {})
    with suppress(TypeError, ValueError, OverflowError):
        return datetime.fromtimestamp(float(pressed["action_ts"]), UTC) if "action_ts" in pressed else None
    return None


def _team(body: dict[str, Any], enterprise: str | None) -> TeamId:
    """Return the id of the Slack workspace of the user in an interaction payload (pure).

    If the payload does not name the user's Slack workspace, return that of the payload, of the view or of the message.
    If there is none of these, return `enterprise`, the id of the organization; "" if `enterprise` is None.
    """
    own = body["user"].get("team_id")
    if own and own != enterprise:
        return TeamId(own)
    view, message = body.get("view") or {}, body.get("message") or {}
    team = (body.get("team") or {}).get("id") or view.get("team_id") or message.get("team")
    return TeamId(team or enterprise or "")
