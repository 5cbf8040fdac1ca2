"""Send results to people: by response_url first, then by chat.postEphemeral, then as a direct message."""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from cachetools import TTLCache
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator
from slack_sdk.http_retry.jitter import Jitter
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import (
    CobrowseError,
    OtherWorkspaceError,
    SlackUnavailableError,
    UnexpectedError,
)
from bot.core.models import (
    ChannelId,
    Request,
    RequestId,
    RequestKind,
    Session,
    SessionRecord,
    SessionStarted,
    UserId,
    WaitNotice,
)
from bot.core.ports import NULL_TRACER, Tracer
from bot.core.results import LastSession, OpenSession, Result
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.direct_messages import DirectMessages, UnconfirmedPostError
from bot.slack.api.directory import ContactName, Readers
from bot.slack.api.response_url import (
    MAX_RETRY_AFTER_SECONDS,
    REPEATS,
    Deadlines,
    ForeignAddressError,
    ResponseUrls,
    SilentHostError,
    SilentHosts,
)
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, SlackAnswer, error_code, error_label, word
from bot.slack.api.session_messages import SlackSessionMessages
from bot.slack.api.token_watch import TokenWatch, WebClient
from bot.slack.api.views import Views
from bot.slack.api.workflow_steps import WorkflowStepResult
from bot.slack.error_codes import Group, is_of
from bot.slack.messages.blocks import Message, View
from bot.slack.messages.renderer import DIRECT_IS_OFF, MessageRenderer
from bot.slack.views.session_form import result_view

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 1000
"""The maximum number of calls that one HTTP client makes to Slack at the same time. Further calls wait."""
STATES_SHOWN = ("already_ended", "link_used_up", "customer_joined")
"""The codes of errors that replace the session card or list of sessions that contains the pressed button.

After such an error, the card or list shows an old state of the session. All other errors appear in a new message.
"""
ANSWERABLE = timedelta(minutes=29)
"""How long after a request the bot uses the request's response_url. Slack accepts posts to it for 30 minutes."""


class ShortRateLimit(AsyncRateLimitErrorRetryHandler):
    """Repeats a call after an answer with status 429 and a Retry-After of at most MAX_RETRY_AFTER_SECONDS."""

    async def _can_retry_async(self, *, response: HttpResponse | None = None, **how: Any) -> bool:
        headers = {name.lower(): value for name, value in response.headers.items()} if response else {}
        ordered = str((headers.get("retry-after") or ["1"])[0])
        soon = re.fullmatch("[0-9]{1,9}", ordered) is not None and int(ordered) <= MAX_RETRY_AFTER_SECONDS
        return soon and await super()._can_retry_async(response=response, **how)


class ServerFault(AsyncRetryHandler):
    """Repeats a call after an answer with a 5xx status, or with one of Slack's error codes in Group.FAULT."""

    async def _can_retry_async(self, *, response: HttpResponse | None = None, **how: Any) -> bool:
        if response is None:
            return False
        code = response.body.get("error") if isinstance(response.body, dict) else None
        return response.status_code >= 500 or is_of(word(code), Group.FAULT)


class ProportionalJitter(Jitter):
    """Adds a random time to each wait between retries. The time is less than twice `first_seconds`.

    `first_seconds`: the first wait, without the random time.
    """

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds

    def recalculate(self, duration: float) -> float:
        return duration + random.random() * 2 * self._first_seconds  # noqa: S311 - jitter, no secret


def retry_handlers(timing: SlackTiming) -> list[AsyncRetryHandler]:
    """Return the retry handlers for calls that post messages.

    The handlers also repeat a call that may have succeeded: a message that arrives twice is better than a lost one.
    """
    first = timing.repeat_seconds
    backoff = BackoffRetryIntervalCalculator(first, ProportionalJitter(first))
    return [
        AsyncConnectionErrorRetryHandler(REPEATS, backoff),
        ShortRateLimit(max_retry_count=REPEATS),
        ServerFault(REPEATS, backoff),
    ]


def new_pool() -> aiohttp.TCPConnector:
    """Open a connection pool without a limit. Each HTTP client that uses the pool limits its own calls."""
    return aiohttp.TCPConnector(limit=0)


def new_http_session(
    timing: SlackTiming = SLACK_TIMING, pool: aiohttp.BaseConnector | None = None
) -> aiohttp.ClientSession:
    """Return aiohttp's client for all calls of one workspace to Slack.

    A call times out if Slack takes longer than `SlackTiming.http_timeout` seconds to accept the connection or to send
    more bytes.

    `pool`: the connection pool, which other workspaces may use, too. None to open a pool for this client alone.
    """
    free = asyncio.Semaphore(MAX_CONNECTIONS)

    async def limited(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        async with free:
            return await send(request)

    return aiohttp.ClientSession(
        connector=pool or new_pool(),
        connector_owner=pool is None,
        middlewares=(limited,),
        timeout=aiohttp.ClientTimeout(sock_connect=timing.http_timeout, sock_read=timing.http_timeout),
        response_class=SlackAnswer,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def new_web_client(
    token: str | None,
    base_url: str,
    http: aiohttp.ClientSession,
    proxy: str | None = None,
    *,
    waits: bool = True,
    repeats: bool = True,
    watch: TokenWatch | None = None,
    timing: SlackTiming = SLACK_TIMING,
    tracer: Tracer = NULL_TRACER,
) -> WebClient:
    """Return a client of Slack's Web API.

    - `token`: the bot token or the app-level token; None for a client without a token.
    - `base_url`: the URL of the Web API.
    - `http`: the HTTP client that makes the calls.
    - `proxy`: the URL of the proxy; None for no proxy.
    - `waits`: whether to repeat a call after a 429 whose Retry-After is at most MAX_RETRY_AFTER_SECONDS.
    - `repeats`: whether to repeat a call after a connection error or a fault of Slack (see ServerFault), although Slack
      may have carried out the call.
    - `watch`: records for each call whether Slack accepts the bot token. None to record nothing.
    """
    retries = retry_handlers(timing) if repeats else [ShortRateLimit(max_retry_count=REPEATS)]
    retries = [each for each in retries if waits or not isinstance(each, AsyncRateLimitErrorRetryHandler)]
    client = WebClient(token=token, base_url=base_url, session=http, retry_handlers=retries, tracer=tracer)
    client.proxy = proxy  # set afterwards: the constructor would replace None from the environment and ignore NO_PROXY
    client.watch = watch
    return client


class SlackResponder:
    """Sends results and other messages to people in Slack.

    The methods that send messages never raise. `answer`, `tell_agent`, `tell_state` and `post` return whether Slack
    accepted the message.

    - `words`: renders the messages.
    - `direct`: posts the direct messages.
    - `session_messages`: records which direct messages show a session, so that the bot can update them later.
    - `proxy_for`: returns the proxy for a URL; None for no proxy.
    - `contact`: fetches the name of the person whom people ask for access, for the label of a button; None for no name.
    - `readers`: fetches the language of each reader.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        http: aiohttp.ClientSession,
        words: MessageRenderer,
        direct: DirectMessages,
        session_messages: SlackSessionMessages,
        proxy_for: Callable[[str], str | None] = lambda url: None,
        *,
        contact: ContactName | None = None,
        readers: Readers = Readers(),  # noqa: B008 - knows nobody
        timing: SlackTiming = SLACK_TIMING,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self._timing, self._contact, self._readers = timing, contact, readers
        self._report: Callable[[Request, CobrowseError], Awaitable[None]] | None = None
        self._web, self._direct, self._session_messages = web, direct, session_messages
        self._response_urls = ResponseUrls(http, proxy_for, web.base_url, timing=timing, tracer=tracer)
        self._completion = WorkflowStepResult(web, words, timing)
        self._words, self._deadlines = words, Deadlines(timing)
        self._posting: set[asyncio.Task[None]] = set()
        self._silent_hosts = SilentHosts(self._deadlines, timing)
        self._views = Views(web, timing)
        self._shown: TTLCache[str, View] = TTLCache(1_000, timing.redelivery_seconds)
        """The newest answer or wait notice in each modal, by the id of the modal."""
        self._notes: dict[RequestId, asyncio.Task[None]] = {}
        """The wait notices that are being posted and that could replace the answer, by request."""
        self._standing: TTLCache[RequestId, tuple[ChannelId, str]] = TTLCache(10_000, ANSWERABLE.total_seconds())

    async def note(self, request: Request, note: WaitNotice) -> None:
        """Show a wait notice to the requester, by response_url or in the request's modal.

        Do nothing if the request has neither a response_url nor a modal.

        If this call is cancelled, do not post a notice that would be a new message. Continue to post any other notice,
        because Slack may already have received it. After this notice, the bot shows the answer again.
        """
        message = self._words.note(request, note)
        if request.reply_url and not _always_makes_way(request):
            await self.post(request.reply_url, message)
        elif request.reply_url or request.view_id:
            posting = self._notes[request.id] = asyncio.create_task(self._post_note(request, message))
            await asyncio.shield(posting)

    async def _post_note(self, request: Request, message: Message) -> None:
        """Show a wait notice in place of the message with the pressed button, or in the request's modal."""
        try:
            if request.reply_url:
                await self.post(request.reply_url, message, replace=True)
            else:
                await self._show(request, message)
        finally:
            self._notes.pop(request.id, None)

    async def learn_contact(self, outcome: object) -> None:
        """Fetch the name of the person whom people ask for access, for a button in the message about `outcome`.

        Call this method before you render the message. Do nothing if no button in the message can show the name. Never
        raises.

        `outcome`: a result or an error.
        """
        if self._contact and self._words.names_contact(outcome):
            try:
                await self._contact.learn()
            except Exception:
                log.exception("the contact's name is unknown")

    async def learn(self, user_id: UserId) -> None:
        """Ask Slack for a person's language, unless the bot already knows the language. Never raises."""
        await self._readers.learn(user_id)

    async def answer(self, request: Request, outcome: Result) -> bool:
        await self.learn_contact(outcome)
        # Slack was asked a moment ago and did not answer, or is not asked about people of other workspaces
        if not isinstance(outcome, SlackUnavailableError | OtherWorkspaceError):
            await self.learn(request.requester)
        try:
            return await self._reach(request, outcome)
        except Exception:
            log.exception("an answer cannot be made", extra={"fields": {"request": request.id}})
            return await self._reach(request, _plain(outcome))

    async def _reach(self, request: Request, outcome: Result) -> bool:
        if request.kind is RequestKind.STEP:
            return await self._completion.tell(request, outcome, lambda way, send: self._try(way, send, request.id))
        place = self._standing.pop(request.id, None)  # set if the button's message is not ephemeral
        message = self._words.answer(replace(request, reply_url=None) if place else request, outcome)
        if request.view_id:
            return await self._in_view(request, message, outcome)
        waiting = is_recent(request)
        makes_way = _makes_way(request, outcome)
        if waiting and request.reply_url and await self._post_answer(request, message, replace=makes_way):
            if makes_way and isinstance(outcome, SessionStarted) and place:
                await self._session_messages.remember(outcome.session.id, *place)
            return True
        session = outcome.session if isinstance(outcome, SessionStarted) else None
        if isinstance(outcome, LastSession | OpenSession) and not outcome.record.is_over:
            session = outcome.record.session
        # An ephemeral message fits only a recent command: later the requester may no longer look at the channel,
        # and an answer to a form goes to a direct message, which stays.
        if await self._by_other_ways(request, message, session, is_in_channel=waiting and bool(request.reply_url)):
            return True
        if waiting and request.reply_url and self._silent_hosts.is_silent(request.reply_url):
            return await self.post(request.reply_url, message, insist=True)
        return False

    async def _post_answer(self, request: Request, message: Message, *, replace: bool) -> bool:
        """Post the answer to the request's response_url. Return whether Slack accepted the answer.

        If a wait notice is still on its way to Slack and could replace the answer, post the answer again after the
        notice.

        `replace`: whether the answer replaces the message that the response_url belongs to.
        """
        late_note = self._notes.get(request.id)
        if not await self.post(request.reply_url or "", message, replace=replace):
            return False
        if late_note:
            await asyncio.wait((late_note,))
            await self.post(request.reply_url or "", message, replace=replace)
        return True

    async def _by_other_ways(
        self, request: Request, message: Message, session: Session | None, *, is_in_channel: bool
    ) -> bool:
        """Send the message as an ephemeral message or a direct message. Return whether Slack accepted one of them.

        - `session`: the session that the message shows; None for none.
        - `is_in_channel`: whether to try the ephemeral message first, and then the direct message. If False, try the
          direct message first. If Slack does not accept it, try the ephemeral message, but only if the request has no
          response_url and is recent (see `is_recent`).

        If the request has no channel, send no ephemeral message.
        """
        is_in_channel = is_in_channel and bool(request.channel_id)
        if is_in_channel and await self._try_ephemeral(request, message):
            return True
        if await self._try(
            "direct message", lambda: self._post_direct(request.requester, message, session), request.id
        ):
            return True
        if is_in_channel or request.reply_url:
            return False
        if self._direct.is_off:
            await self._report_direct_off(request)
            message = self._words.without_direct(message, request.requester)
        # The request came from a form: post in the channel where the requester opened it.
        return bool(request.channel_id) and is_recent(request) and await self._try_ephemeral(request, message)

    def report_to(self, report: Callable[[Request, CobrowseError], Awaitable[None]]) -> None:
        """Set the function that tells the administrators about a fault.

        `report` gets the request during which the fault occurred, and the error. It must never raise.
        """
        self._report = report

    async def _report_direct_off(self, request: Request) -> None:
        """Tell the administrators that Slack refuses all direct messages.

        The fault ends when a request to send a session as a direct message (DIRECT) succeeds.
        """
        if self._report:
            await self._report(replace(request, kind=RequestKind.DIRECT), DIRECT_IS_OFF)

    async def _try_ephemeral(self, request: Request, message: Message) -> bool:
        return await self._try("chat.postEphemeral", lambda: self._post_ephemeral(request, message), request.id)

    async def _in_view(self, request: Request, message: Message, outcome: Result) -> bool:
        """Show the answer in the request's modal. Return whether Slack accepted it, in the modal or as a message.

        Always send the answer to a START also as a message, which stays when the modal is closed. Send any other answer
        as a message only if Slack does not accept it in the modal. `_by_other_ways` sends the message.
        """
        session = outcome.session if isinstance(outcome, SessionStarted) else None
        if request.kind is not RequestKind.START:
            is_shown = await self._show_answer(request, message)
            return is_shown or await self._by_other_ways(request, message, None, is_in_channel=False)
        is_shown, is_copied = await asyncio.gather(
            self._show_answer(request, message),
            self._by_other_ways(request, message, session, is_in_channel=False),
        )
        if is_shown and not is_copied and self._direct.is_off:
            await self._report_direct_off(request)
            shown = self._words.without_direct(message, request.requester)
            await self._show(request, shown)  # the modal is the only copy, so it says why
        return is_shown or is_copied

    async def _show_answer(self, request: Request, message: Message) -> bool:
        """Show the answer in the request's modal. Return whether Slack accepted the update.

        If a wait notice is still on its way to Slack, show the answer again after the notice.
        """
        late_note = self._notes.get(request.id)
        is_shown = await self._show(request, message)
        if is_shown and late_note:
            await asyncio.wait((late_note,))
            await self._show(request, message)
        return is_shown

    async def _show(self, request: Request, message: Message) -> bool:
        """Show a message in the request's modal. Return whether Slack accepted the update.

        Return False if the modal is closed. Wait until the request is `SlackTiming.view_settle_seconds` old, so that
        Slack applies the acknowledgement before the update.
        """
        age = (datetime.now(UTC) - request.accepted_at).total_seconds()
        try:
            await asyncio.sleep(max(0.0, min(self._timing.view_settle_seconds, self._timing.view_settle_seconds - age)))
            view = result_view(message, self._words.language_of(request.requester))
            view_id = request.view_id or ""
            self._shown[view_id] = view
            return not await self._deadlines.within(self._views.update(view, view_id=view_id))
        except TimeoutError:
            return False

    def show_again_soon(self, view_id: str) -> None:
        """Show the newest answer in a modal again, in the background, if the modal has already shown an answer.

        Call this method after Slack delivered the submission of the modal twice. The acknowledgement of the second
        delivery can replace the answer by a view that says to wait.
        """
        self.soon(self._show_again(view_id))

    async def _show_again(self, view_id: str) -> None:
        await asyncio.sleep(self._timing.view_settle_seconds)
        if view := self._shown.get(view_id):
            await self._views.update(view, view_id=view_id)

    def show_soon(self, view_id: str, view: View, known_hash: str = "") -> None:
        """Update a modal in the background.

        `known_hash`: the modal's hash in a payload from Slack. Slack does not update the modal if the modal has changed
        since this payload. With "", Slack always updates the modal.
        """
        self.soon(self._views.update(view, view_id=view_id, known_hash=known_hash))

    def note_place(self, request_id: RequestId, channel_id: ChannelId, ts: str) -> None:
        """Record which message contains the button that made a request. Do not call this for an ephemeral message.

        The answer to the request may replace the message by the card of a new session. The bot can then update the
        card later.

        - `channel_id`: the channel of the message.
        - `ts`: the id of the message in the channel.
        """
        self._standing[request_id] = channel_id, ts

    @property
    def has_no_direct_messages(self) -> bool:
        """Return True if Slack's newest answer to a direct message is the error that the app's Messages tab is off."""
        return self._direct.is_off

    async def tell_agent(self, request: Request, session: Session) -> bool:
        agent = request.agent
        try:
            await self.learn(agent)
            message = self._words.cards_for(agent).for_agent(request, session)
            async with asyncio.timeout(self._timing.agent_timeout):  # the requester's answer waits for this
                return await self._try("direct message", lambda: self._post_direct(agent, message, session), request.id)
        except TimeoutError:
            return False
        except Exception:  # the requester gets their own answer and can pass the link on
            log.exception("an answer cannot be made", extra={"fields": {"request": request.id}})
            return False

    async def tell_state(self, record: SessionRecord, reply_url: str) -> bool:
        await self.learn(record.requester)
        message = self._words.cards_for(record.requester).state_told(record, record.requester)
        return await self.post(reply_url, message)

    async def post(self, reply_url: str, message: Message, *, replace: bool = False, insist: bool = False) -> bool:
        """Post an ephemeral message to a response_url. Return whether Slack accepted the message.

        - `replace`: whether the new message replaces the message that the response_url belongs to.
        - `insist`: whether to post even if an earlier post to the same server timed out.
        """
        body = message.payload() | {"response_type": "ephemeral", "replace_original": replace}
        try:
            status = await self._silent_hosts.post(
                reply_url, lambda: self._response_urls.post(reply_url, body), insist=insist
            )
        except SilentHostError:
            return False
        except ForeignAddressError:
            log.warning("a response_url is not Slack's", extra={"fields": {"hint": "SLACK_API_URL"}})
            return False
        except CALL_ERRORS as error:
            log.warning("no answer from a response_url", extra={"fields": {"error": error_label(error)}})
            return False
        if status != 200:
            log.warning("a response_url refused a message", extra={"fields": {"status": status}})
        return status == 200

    def shorten_deadlines(self) -> None:
        self._deadlines.shorten_deadlines()

    def post_soon(self, reply_url: str, message: Message) -> None:
        """Post an ephemeral message to a response_url in the background."""
        self.soon(self.post(reply_url, message, insist=True))

    async def tell(self, request: Request, message: Message) -> None:
        """Send the requester a message that is not the result of a stored request.

        Try the response_url first, then the request's modal, then other messages. If the request has a response_url,
        these are an ephemeral message, then a direct message. If not, they are a direct message, then an ephemeral
        message.
        """
        if request.reply_url and await self.post(request.reply_url, message):
            return
        if request.view_id and await self._show(request, message):
            return
        if await self._by_other_ways(request, message, None, is_in_channel=bool(request.reply_url)):
            return
        if request.reply_url and self._silent_hosts.is_silent(request.reply_url):
            await self.post(request.reply_url, message, insist=True)

    def tell_soon(self, request: Request, render: Callable[[], Message]) -> None:
        """Send a message to the requester in the background.

        `render`: builds the message, after the requester's language has been fetched.
        """
        self.soon(self._tell(request, render))

    async def _tell(self, request: Request, render: Callable[[], Message]) -> None:
        await self.learn(request.requester)
        await self.tell(request, render())

    def answer_soon(self, request: Request, outcome: Result) -> None:
        """In the background, send the requester the result of a request that could not be stored."""
        self.soon(self.answer(request, outcome))

    async def close(self) -> None:
        """Wait up to `SlackTiming.http_timeout` seconds for the background tasks. Then cancel those that still run."""
        if self._posting:
            _, late = await asyncio.wait(self._posting, timeout=self._timing.http_timeout)
            for task in late:
                task.cancel()

    def soon(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the background, and log the exception that it raises. `close` waits for the coroutine."""
        task = asyncio.create_task(self._seen_through(work))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _seen_through(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            log.exception("failed after the ack")

    async def _post_ephemeral(self, request: Request, message: Message) -> None:
        await self._web.chat_postEphemeral(
            channel=request.channel_id, user=request.requester, text=message.text, blocks=message.blocks
        )

    async def _post_direct(self, user_id: UserId, message: Message, session: Session | None) -> None:
        channel_id, ts = await self._direct.post(user_id, message)
        if session:
            await self._session_messages.remember(session.id, channel_id, ts)

    async def _try(self, way: str, send: Callable[[], Awaitable[None]], request_id: RequestId) -> bool:
        fields: dict[str, object] = {"request": request_id, "way": way}
        try:
            await self._deadlines.within(send())
        except SlackApiError as error:
            log.warning("not delivered", extra={"fields": fields | {"error": error_code(error)}})
        except UnconfirmedPostError as error:
            log.warning("not delivered", extra={"fields": fields | {"error": str(error)}})
        except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
            log.warning("not delivered", extra={"fields": fields | {"error": error_label(error)}})
        else:
            return True
        return False


def _makes_way(request: Request, outcome: Result) -> bool:
    """Return whether the answer replaces the message that contains the pressed button.

    If the message is a session card or a list of sessions that an answer may replace, return True, except for an error
    whose code is not in STATES_SHOWN. For any other message, return `request.replaces`.
    """
    if _is_kept_after_errors(request):
        return not isinstance(outcome, CobrowseError) or outcome.code in STATES_SHOWN
    return request.replaces


def _always_makes_way(request: Request) -> bool:
    """Return whether every answer to the request, even an error, replaces the message with the pressed button.

    Return False if this message is a session card or a list of sessions: `_makes_way` then depends on the answer.
    """
    return request.replaces and not _is_kept_after_errors(request)


def _is_kept_after_errors(request: Request) -> bool:
    return request.is_on_card or request.is_in_list


def is_recent(request: Request) -> bool:
    """Return whether the request is younger than ANSWERABLE, so that Slack still accepts posts to its response_url."""
    return datetime.now(UTC) - request.accepted_at < ANSWERABLE


def _plain(outcome: Result) -> UnexpectedError:
    """Return the error to send if the result `outcome` cannot be rendered. The error offers no *Try again*.

    If `outcome` is a started session, the error says that a session may have been created.
    """
    plain = UnexpectedError(maybe_created=isinstance(outcome, SessionStarted))
    plain.try_again = False
    return plain
