"""Payloads without a listener: the sender of another command reads which one to type, and the log names the payload."""

import logging
from typing import Any

import pytest

from tests.support.app import ANA, Journey, open_journey, words

LINE = "nothing listens for a payload of this kind"


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of each such log line, without the reference."""
    found = [vars(record)["fields"] for record in caplog.records if record.getMessage() == LINE]
    assert all(record.levelno == logging.WARNING for record in caplog.records if record.getMessage() == LINE)
    assert all(len(fields["request"]) == 12 for fields in found)
    return [{name: value for name, value in fields.items() if name != "request"} for fields in found]


async def test_another_command_names_the_one_to_type(either: Journey, caplog: pytest.LogCaptureFixture) -> None:
    delivery = await either.slack.command(ANA, "secret words", command="/screenshare")
    assert (delivery.acked, delivery.status) in ((True, None), (True, 200))
    (message,) = either.slack.seen_by(ANA)
    assert (message.via, message.visible_to) == ("ack", ANA)
    assert "This bot answers to `/cobrowse`." in words(message)
    assert "went wrong" not in words(message) + message.text
    expected = {"type": "slash_command", "command": "/screenshare", "hint": "COBROWSE_COMMAND"}
    assert logged(caplog) == [expected]
    assert "secret words" not in caplog.text + str([vars(record) for record in caplog.records])


async def test_the_sentence_names_the_configured_command() -> None:
    async with open_journey(COBROWSE_COMMAND="/share-screen") as journey:
        await journey.slack.command(ANA, "", command="/cobrowse")
        (message,) = journey.slack.seen_by(ANA)
        assert "This bot answers to `/share-screen`." in words(message)
        assert journey.genesys.creates == []


@pytest.mark.parametrize(
    ("kind", "payload", "names"),
    [
        (
            "interactive",
            {"type": "block_actions", "actions": [{"action_id": "other", "block_id": "b", "value": "secret words"}]},
            {"type": "block_actions", "action_id": "other"},
        ),
        (
            "interactive",
            {
                "type": "view_submission",
                "view": {"type": "modal", "callback_id": "none", "private_metadata": "secret words"},
            },
            {"type": "view_submission", "callback_id": "none"},
        ),
        ("interactive", {"type": "shortcut", "callback_id": "none"}, {"type": "shortcut", "callback_id": "none"}),
        (
            "events_api",
            {"type": "event_callback", "event": {"type": "app_mention", "text": "secret words"}},
            {"type": "event_callback", "event": "app_mention"},
        ),
        (
            "interactive",
            {"type": "shortcut", "callback_id": "a\n\u202eb\x1b[1m" + "x" * 100},
            {"type": "shortcut", "callback_id": "a b[1m" + "x" * 54},
        ),
        ("interactive", {"type": "shortcut", "callback_id": {"a": "secret words"}}, {"type": "shortcut"}),
    ],
)
async def test_the_log_names_the_kind_and_no_content(
    journey: Journey,
    caplog: pytest.LogCaptureFixture,
    kind: Any,
    payload: dict[str, Any],
    names: dict[str, str],
) -> None:
    assert (await journey.slack.send(payload, kind)).acked
    assert logged(caplog) == [names]
    assert "secret words" not in caplog.text + str([vars(record) for record in caplog.records])
