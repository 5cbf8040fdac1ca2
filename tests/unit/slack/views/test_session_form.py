"""The form's blocks and what is read out of it: pure, and held to Slack's own limits."""

from typing import Any

import pytest

from bot.config.reader import SettingsError
from bot.config.settings import load_part, read_service_alone
from bot.core.errors import (
    MaybeAcceptedError,
    NotReadyError,
    PersonNotAllowedError,
    StorageUnavailableError,
)
from bot.core.models import ChannelId, MembershipStatus, RequestId, UserId
from bot.core.validation.conversations import GenesysApp
from bot.sandbox.slack.validation.views import read_view
from bot.slack.listeners.session_form import not_accepted
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.error_copy import Addressee
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import session_form
from bot.slack.views.session_form import Fields, FormInput, form, host_error, loading, read
from tests.support.views import fields, said

CARE = ChannelId("C0CARE")
APPLICATIONS = [("shop", "Web shop"), ("web", "Web"), ("portal", "")]
ID = "3f2b8c1d-0000-4000-8000-00000000000a"


def offered(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "channel_id": CARE,
        "host": UserId("U0SAM"),
        "applications": APPLICATIONS,
        "application_id": "web",
        "timeout_seconds": 1800,
    }
    return form(Fields(**(usual | changes)))


def element(view: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(block["element"] for block in view["blocks"] if block.get("block_id") == name)
    return found


def sent(**values: Any) -> dict[str, Any]:
    """A view as a submission brings it."""
    kinds = {"host": "selected_user", "name": "value", "conversation": "value"}
    state = {
        name: {name: {kinds[name]: value} if name in kinds else {"selected_option": value and {"value": value}}}
        for name, value in values.items()
    }
    return {"id": "V1", "private_metadata": "C0CARE", "state": {"values": state}}


MANY = [(f"app-{number}", f"Shop {number} <&> " * 9) for number in range(300)]
VIEWS = {
    "everything": offered(),
    "nothing": offered(host=None, applications=[], timeout_seconds=None, channel_id=ChannelId("")),
    "many applications": offered(applications=MANY, application_id="app-299"),
    "odd applications": offered(applications=[("", "none"), ("x" * 151, "long"), ("web", "W" * 300), ("web", "again")]),
    "a conversation": offered(applications=[], timeout_seconds=None, takes_conversation=True),
    "skeleton": loading("abcdefghijkl"),
    "a failure": session_form.result_view(
        MessageRenderer().failure(StorageUnavailableError(), RequestId("abcdefghijkl"), is_repeatable=False)
    ),
    "not opened": session_form.result_view(session_form.not_opened(Addressee(ENGLISH), RequestId("abcdefghijkl"))),
}


@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_it(name: str) -> None:
    assert read_view(VIEWS[name], "modal") == VIEWS[name]


def test_the_skeleton_has_nothing_that_could_be_sent() -> None:
    assert "submit" not in loading("x")
    assert fields(loading("x")) == []
    assert "One moment" in said(loading("x"))


def test_only_who_may_choose_a_host_is_offered_the_choice() -> None:
    assert fields(offered(host=None)) == ["name", "application", "duration"]
    assert fields(offered()) == ["host", "name", "application", "duration"]
    assert element(offered(), "host")["initial_user"] == "U0SAM"


def test_usual_application_stands_first_and_is_chosen() -> None:
    field = element(offered(applications=MANY, application_id="app-299"), "application")
    assert len(field["options"]) == 100
    assert field["options"][0]["value"] == field["initial_option"]["value"] == "app-299"


def test_with_no_list_of_applications_there_is_no_field_for_one() -> None:
    assert fields(offered(applications=[])) == ["host", "name", "duration"]


def test_an_application_that_the_list_has_not_is_not_chosen() -> None:
    assert "initial_option" not in element(offered(application_id="gone"), "application")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1800, "30 minutes"), (3600, "1 hour"), (5400, "1 hour 30 minutes"), (61, "1 minute 1 second")],
)
def test_the_usual_duration_is_among_those_offered_and_is_chosen(seconds: int, words: str) -> None:
    field = element(offered(timeout_seconds=seconds), "duration")
    assert field["initial_option"] == {"text": {"type": "plain_text", "text": words}, "value": str(seconds)}
    values = [int(option["value"]) for option in field["options"]]
    assert values == sorted(set(values))
    assert min(values) >= session_form.MIN_DURATION_SECONDS
    assert max(values) <= session_form.MAX_DURATION_SECONDS


@pytest.mark.parametrize("seconds", [session_form.MIN_DURATION_SECONDS - 1, session_form.MAX_DURATION_SECONDS + 1])
def test_the_bounds_are_those_of_the_setting(seconds: int) -> None:
    with pytest.raises(SettingsError, match="COBROWSE_TIMEOUT_SECONDS"):
        load_part(read_service_alone, {"COBROWSE_TIMEOUT_SECONDS": str(seconds)})


def test_filled_in_values_are_read() -> None:
    view = sent(host="U0BEN", name="  Checkout\n <help> &amp; ", application="shop", duration="3600")
    assert read(view, None) == FormInput(CARE, UserId("U0BEN"), "Checkout <help> &amp;", "shop", 3600, None)


def test_empty_inputs_take_the_defaults() -> None:
    nothing = FormInput(ChannelId(""), None, None, None, None, None)
    assert read(sent(host=None, name=None, application=None, duration=None) | {"private_metadata": ""}, None) == nothing
    assert read({"id": "V1"}, None) == nothing


def test_place_of_a_form_survives_an_upgrade() -> None:
    """A form that an earlier version opened holds the channel alone."""
    old, new = sent(), sent() | {"private_metadata": '["C0CARE", "1767225600.000100"]'}
    assert [read(view, None).channel_id for view in (old, new)] == [CARE, CARE]  # type: ignore[union-attr]
    checked = {"thread": {"thread": {"selected_options": [{"value": "thread"}]}}}
    for view, thread in ((old, ""), (new, "1767225600.000100")):
        assert read(view, None).thread == ""  # type: ignore[union-attr]
        view["state"]["values"] |= checked
        assert read(view, None).thread == thread  # type: ignore[union-attr]


@pytest.mark.parametrize("metadata", ["[1, 2, 3]", '["C0CARE", "x; rm"]', "{}", "[", '"C0CARE"'])
def test_place_that_nobody_wrote_names_no_thread(metadata: str) -> None:
    view = sent() | {"private_metadata": metadata}
    view["state"]["values"] |= {"thread": {"thread": {"selected_options": [{"value": "thread"}]}}}
    assert read(view, None).thread == ""  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["   ", "\u200b", "\u202e\u200d", "\u3164", "\x07"])
def test_a_name_with_nothing_to_see_is_said_at_its_field(name: str) -> None:
    assert read(sent(name=name), None) == {"name": "This name is empty. Add a few letters, or leave it out."}


@pytest.mark.parametrize("length", ["59", "86401", "0", "-60", "1e3", "٦٠٠", "forever", "9" * 5000])
def test_a_duration_that_was_not_offered_is_said_at_its_field(length: str) -> None:
    assert list(read(sent(duration=length), None)) == ["duration"]  # type: ignore[arg-type]


def test_a_conversation_is_read_where_there_are_some() -> None:
    app = GenesysApp("apps.mypurecloud.com")
    read_here = read(sent(conversation=f" {ID.upper()} "), app)
    assert isinstance(read_here, FormInput)
    assert read_here.conversation_id == ID
    for wrong in ("Checkout", f"https://evil.example/{ID}"):
        assert list(read(sent(conversation=wrong), app)) == ["conversation"]  # type: ignore[arg-type]


def test_every_field_that_is_wrong_is_told_at_once() -> None:
    assert set(read(sent(name=" ", duration="1"), None)) == {"name", "duration"}  # type: ignore[arg-type]


@pytest.mark.parametrize("standing", [each for each in MembershipStatus if each is not MembershipStatus.MEMBER])
def test_refused_host_is_told_in_words_that_a_field_can_show(standing: MembershipStatus) -> None:
    words = host_error(PersonNotAllowedError("not_a_member", UserId("U0GUS"), standing, is_target=True))
    assert words
    assert "<" not in words
    assert host_error(PersonNotAllowedError("not_a_member", UserId("U0GUS"), standing, is_target=False)) is None


def test_a_host_who_is_not_listed_is_told() -> None:
    assert "may not use" in str(host_error(PersonNotAllowedError("not_listed", UserId("U0BEN"), is_target=True)))
    assert host_error(StorageUnavailableError()) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotReadyError("shutting_down"), "I’m restarting. Nothing was started."),
        (StorageUnavailableError(), "Nothing was started. Press Start again"),
        (MaybeAcceptedError(), "it starts only one session"),
    ],
)
def test_refused_submission_can_be_sent_again(error: Any, words: str) -> None:
    assert words in not_accepted(error, Addressee(ENGLISH))
    assert "<" not in not_accepted(error, Addressee(ENGLISH))
