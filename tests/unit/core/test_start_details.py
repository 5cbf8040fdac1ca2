"""The details of a START request are encoded in one argument, and decoded without a change."""

import pytest

from bot.core.errors import SendRejectedError
from bot.core.start_details import NO_DETAILS, StartDetails, details_of, without_address

THREAD = "1767225600.000100"
REJECTED = SendRejectedError("country_not_allowed", "JP")
ALL = [
    StartDetails(send_to="+14155550123", fingerprint="f" * 32),
    StartDetails(send_to="name@example.com", fingerprint="f" * 32, thread=THREAD),
    StartDetails(thread=THREAD),
    StartDetails(unless="end"),
    StartDetails(replaces="sess-1"),
]


@pytest.mark.parametrize("details", ALL, ids=lambda each: each.argument.partition(" ")[0])
def test_details_are_read_as_they_were_written(details: StartDetails) -> None:
    assert details_of(details.argument) == details


@pytest.mark.parametrize("thread", ["", THREAD])
def test_rejected_address_keeps_its_reason_and_its_thread(thread: str) -> None:
    found = details_of(StartDetails(rejected=REJECTED, fingerprint="f", thread=thread).argument)
    assert found.rejected is not None
    assert (found.rejected.code, found.rejected.detail, found.thread) == ("country_not_allowed", "JP", thread)


@pytest.mark.parametrize("text", [None, "", "s-1 +14155550123", "thread", "send"])
def test_other_argument_holds_no_details(text: str | None) -> None:
    found = details_of(text)
    assert (found.send_to, found.rejected, found.unless, found.replaces) == ("", None, "", "")
    assert details_of("something else") == NO_DETAILS


@pytest.mark.parametrize("thread", ["", THREAD])
def test_address_is_replaced_by_its_fingerprint(thread: str) -> None:
    marks = {
        without_address(StartDetails(send_to=address, fingerprint=mark, thread=thread).argument)
        for address, mark in (("+14155550123", "one"), ("name@example.com", "two"))
    }
    assert marks == {f"{thread} one".strip(), f"{thread} two".strip()}
    assert without_address(StartDetails(thread=THREAD).argument) == f"thread {THREAD}"
