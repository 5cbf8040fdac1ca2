"""Deliver payloads to the bot, and record the deliveries. Retry an event that the bot did not acknowledge.

https://docs.slack.dev/apis/events-api#retries
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.delivery.transports import HttpDelivery, Sockets
from bot.sandbox.slack.models import Ack, CallLog, Delivery, Kind, trim_entries


class Dispatcher:
    """Delivers payloads to the bot: by signed HTTP to `events_url`, or over Socket Mode if `events_url` is None.

    - `ack_seconds`: the time limit for an acknowledgement.
    - `retries_after_seconds`: the delay before each retry of an event, counted from the previous delivery.
    - `deliveries`: the records of the newest MAX_ENTRIES deliveries.
    - `event_listeners`: the functions that get the record of each delivery of an event.
    """

    def __init__(self, sockets: Sockets, http: HttpDelivery, log: CallLog) -> None:
        self.sockets = sockets
        self.http = http
        self.log = log
        self.events_url: str | None = None
        self.ack_seconds = 3.0
        self.retries_after_seconds = (0.0, 60.0, 300.0)
        self.deliveries: list[Delivery] = []
        self.event_listeners: list[Callable[[Delivery], None]] = []
        self._retrying: set[asyncio.Task[None]] = set()

    async def dispatch(
        self, payload: dict[str, Any], kind: Kind, retry: int = 0, reason: str = "http_timeout"
    ) -> Delivery:
        """Deliver a payload, wait for the acknowledgement, and return a record of the delivery.

        The function does not retry a failed delivery. A retry is a new call.

        - `kind`: `slash_commands`, `events_api`, or `interactive` for presses, shortcuts and modals.
        - `retry`: 0 for the first delivery, 1 for the first retry, and so on.
        - `reason`: Slack's reason for a retry, such as `http_timeout`. A first delivery ignores `reason`.
        """
        started = time.monotonic()
        answer = await self._answer(payload, kind, retry, reason)
        seconds = time.monotonic() - started
        note = answer.error or "acknowledged"
        self.log.traffic("Slack", "bot", kind, status=answer.status, seconds=seconds, note=note)
        trigger = str(payload.get("trigger_id", ""))
        fields = answer.acked, seconds * 1000, answer.status, answer.body, trigger, payload, kind, answer.error
        delivery = Delivery(*fields, retry=retry)
        self.deliveries.append(delivery)
        trim_entries(self.deliveries)
        if kind == "events_api":
            for listener in list(self.event_listeners):
                listener(delivery)
        return delivery

    async def _answer(self, payload: dict[str, Any], kind: Kind, retry: int, reason: str) -> Ack:
        if self.events_url is None:
            return await self.sockets.deliver(kind, payload, self.ack_seconds, retry)
        return await self.http.deliver(self.events_url, kind, payload, self.ack_seconds, retry, reason)

    async def dispatch_event(self, payload: dict[str, Any]) -> Delivery:
        """Deliver an event, and return a record of the delivery.

        If the bot does not acknowledge the event, start retries in the background: one after each delay in
        `retries_after_seconds`, until the bot acknowledges the event.
        """
        delivery = await self.dispatch(payload, "events_api")
        if not delivery.acked:
            task = asyncio.create_task(self._retry(delivery))
            self._retrying.add(task)
            task.add_done_callback(self._retrying.discard)
        return delivery

    async def _retry(self, delivery: Delivery) -> None:
        for retry, seconds in enumerate(self.retries_after_seconds, 1):
            await asyncio.sleep(seconds)
            delivery = await self.dispatch(delivery.payload, "events_api", retry, _reason(delivery))
            if delivery.acked:
                return

    async def close(self) -> None:
        """Cancel the retries, and close the connections. Each delivery that waits for an acknowledgement fails."""
        for task in list(self._retrying):
            task.cancel()
        await asyncio.gather(*self._retrying, return_exceptions=True)
        await self.sockets.close()
        await self.http.close()


def _reason(delivery: Delivery) -> str:
    if delivery.error == "operation_timeout":
        return "http_timeout"
    return "connection_failed" if delivery.status is None else "http_error"
