"""The blocks of the form and the parsed submission (pure), checked against Slack's limits."""

import re
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
from bot.core.use_cases.customer_messages import MessagingConfig
from bot.core.validation.conversations import GenesysApp
from bot.sandbox.slack.validation.views import read_view
from bot.slack.listeners.session_form import not_accepted
from bot.slack.messages.catalogue.sentence import ENGLISH, Markup
from bot.slack.messages.error_copy import Addressee
from bot.slack.messages.help import Capabilities
from bot.slack.messages.renderer import MessageRenderer
from bot.slack.views import session_form
from bot.slack.views.session_form import Fields, FormInput, form, host_error, loading, read, with_more
from tests.support.views import fields, presses, said

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
    return form(Fields(**(usual | changes)), ENGLISH)


def complete(**changes: Any) -> dict[str, Any]:
    """Return the form after a press of *More options*."""
    usual: dict[str, Any] = {"applications": APPLICATIONS, "application_id": "web", "timeout_seconds": 1800}
    more = {key: changes[key] for key in usual if key in changes}
    return with_more(offered(**changes), Fields(ChannelId(""), None, **(usual | more)), ENGLISH)


def element(view: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(block["element"] for block in view["blocks"] if block.get("block_id") == name)
    return found


def sent(**values: Any) -> dict[str, Any]:
    """Return a view as a submission contains it."""
    kinds = {"host": "selected_user", "name": "value", "conversation": "value", "send_to": "value"}
    state = {
        name: {name: {kinds[name]: value} if name in kinds else {"selected_option": value and {"value": value}}}
        for name, value in values.items()
    }
    return {"id": "V1", "private_metadata": "C0CARE", "state": {"values": state}}


MANY = [(f"app-{number}", f"Shop {number} <&> " * 9) for number in range(300)]
SENDS = Capabilities(sends=True)
SENDING = MessagingConfig(sms_from="+14155550100", sms_countries=("US", "GB"), email_from="care@example.com")
ASKED = Addressee(ENGLISH, contact=Markup("<@U0SAM>"))
VIEWS = {
    "everything": complete(features=SENDS, thread="1767225600.000100", takes_conversation=True),
    "the form as it opens": offered(features=SENDS, thread="1767225600.000100"),
    "nothing": offered(host=None, applications=[], timeout_seconds=None, channel_id=ChannelId("")),
    "many applications": complete(applications=MANY, application_id="app-299"),
    "odd applications": complete(
        applications=[("", "none"), ("x" * 151, "long"), ("web", "W" * 300), ("web", "again")]
    ),
    "a conversation": offered(applications=[], timeout_seconds=None, takes_conversation=True),
    "skeleton": loading("abcdefghijkl", ENGLISH),
    "a failure": session_form.result_view(
        MessageRenderer().failure(StorageUnavailableError(), RequestId("abcdefghijkl"), is_repeatable=False), ENGLISH
    ),
    "not opened": session_form.result_view(
        session_form.not_opened(Addressee(ENGLISH), RequestId("abcdefghijkl")), ENGLISH
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_it(name: str) -> None:
    assert read_view(VIEWS[name], "modal") == VIEWS[name]


def test_the_skeleton_has_nothing_that_could_be_sent() -> None:
    assert "submit" not in loading("x", ENGLISH)
    assert fields(loading("x", ENGLISH)) == []
    assert "One moment" in said(loading("x", ENGLISH))


def test_only_who_may_choose_a_host_is_offered_the_choice() -> None:
    assert fields(offered(host=None)) == ["name"]
    assert fields(offered()) == ["host", "name"]
    assert element(offered(), "host")["initial_user"] == "U0SAM"


def test_fields_that_most_people_leave_stand_behind_a_button() -> None:
    thread = "1767225600.000100"
    first = offered(features=SENDS, thread=thread, takes_conversation=True)
    assert fields(first) == ["host", "send_to", "name", "conversation", "thread"]
    assert presses(first) == ["form_more"]
    assert first["blocks"][-1]["type"] == "actions"
    more = complete(features=SENDS, thread=thread, takes_conversation=True)
    assert fields(more) == [*fields(first), "application", "duration"]
    assert presses(more) == []
    assert more | {"blocks": []} == first | {"blocks": []}
    assert more["blocks"][:-2] == first["blocks"][:-1]  # with the same ids, so Slack keeps what was typed


def test_button_for_more_stands_only_where_there_is_more() -> None:
    assert presses(offered(applications=[("web", "Web")], timeout_seconds=None)) == []
    assert presses(offered(applications=[], timeout_seconds=1800)) == ["form_more"]


def test_name_field_says_that_the_customer_may_see_it() -> None:
    (block,) = [each for each in offered()["blocks"] if each.get("block_id") == "name"]
    assert block["hint"]["text"].endswith("Your customer may see it.")


@pytest.mark.parametrize(
    ("features", "label"),
    [
        (SENDS, "Customer’s mobile number or email"),
        (Capabilities(sends=True, texts=False), "Customer’s email"),
        (Capabilities(sends=True, emails=False), "Customer’s mobile number"),
    ],
)
def test_address_is_asked_for_by_the_ways_that_are_set_up(features: Capabilities, label: str) -> None:
    (block,) = [each for each in offered(features=features)["blocks"] if each.get("block_id") == "send_to"]
    assert (block["label"]["text"], block["optional"]) == (label, True)
    assert "send_to" not in fields(offered())


@pytest.mark.parametrize(
    ("typed", "address"),
    [(" +1 (415) 555-0123 ", "+14155550123"), ("name@example.com", "name@example.com"), ("", None), ("  ", None)],
)
def test_address_is_read_as_the_command_reads_it(typed: str, address: str | None) -> None:
    found = read(sent(send_to=typed, name="Deal"), None, ASKED, SENDING)
    assert isinstance(found, FormInput)
    assert (found.send_to and found.send_to.text, found.name) == (address, "Deal")
    assert "415" not in repr(found)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("12 34", "The country code is missing"),
        ("+1 415", "That phone number doesn’t exist"),
        ("+81 90 1234 5678", "I don’t text numbers in this country (JP)"),
        ("carla@localhost.local", "That doesn’t look like an email address"),
        ("Carla", "That isn’t a phone number or an email address"),
    ],
)
def test_unusable_address_is_told_at_its_field_in_plain_words(typed: str, words: str) -> None:
    found = read(sent(send_to=typed), None, ASKED, SENDING)
    assert isinstance(found, dict)
    assert list(found) == ["send_to"]
    assert words in found["send_to"]
    assert not re.search("[<>`*]", found["send_to"])  # a field shows no markup


def test_address_as_a_name_is_led_to_its_field() -> None:
    for sending, words in ((SENDING, "Put it into the field above."), (MessagingConfig(), "may show the name.")):
        found = read(sent(name="Refund +14155550123"), None, ASKED, sending)
        assert isinstance(found, dict)
        assert found["name"].endswith(words)


def test_address_in_a_form_without_a_sender_is_refused() -> None:
    found = read(sent(send_to="+14155550123"), None, ASKED)
    assert isinstance(found, dict)
    assert "isn’t set up here" in found["send_to"]


def test_usual_application_stands_first_and_is_chosen() -> None:
    field = element(complete(applications=MANY, application_id="app-299"), "application")
    assert len(field["options"]) == 100
    assert field["options"][0]["value"] == field["initial_option"]["value"] == "app-299"


def test_with_no_list_of_applications_there_is_no_field_for_one() -> None:
    assert fields(complete(applications=[])) == ["host", "name", "duration"]


def test_an_application_that_the_list_has_not_is_not_chosen() -> None:
    assert "initial_option" not in element(complete(application_id="gone"), "application")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1800, "30 minutes"), (3600, "1 hour"), (5400, "1 hour 30 minutes"), (61, "1 minute 1 second")],
)
def test_the_usual_duration_is_among_those_offered_and_is_chosen(seconds: int, words: str) -> None:
    field = element(complete(timeout_seconds=seconds), "duration")
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
    assert read(view, None, ASKED) == FormInput(CARE, UserId("U0BEN"), "Checkout <help> &amp;", "shop", 3600, None)


def test_empty_inputs_take_the_defaults() -> None:
    nothing = FormInput(ChannelId(""), None, None, None, None, None)
    assert (
        read(sent(host=None, name=None, application=None, duration=None) | {"private_metadata": ""}, None, ASKED)
        == nothing
    )
    assert read({"id": "V1"}, None, ASKED) == nothing


def test_place_of_a_form_survives_an_upgrade() -> None:
    """A form that an earlier version opened holds only the channel."""
    old, new = sent(), sent() | {"private_metadata": '["C0CARE", "1767225600.000100"]'}
    assert [read(view, None, ASKED).channel_id for view in (old, new)] == [CARE, CARE]  # type: ignore[union-attr]
    checked = {"thread": {"thread": {"selected_options": [{"value": "thread"}]}}}
    for view, thread in ((old, ""), (new, "1767225600.000100")):
        assert read(view, None, ASKED).thread == ""  # type: ignore[union-attr]
        view["state"]["values"] |= checked
        assert read(view, None, ASKED).thread == thread  # type: ignore[union-attr]


@pytest.mark.parametrize("metadata", ["[1, 2, 3]", '["C0CARE", "x; rm"]', "{}", "[", '"C0CARE"'])
def test_place_that_nobody_wrote_names_no_thread(metadata: str) -> None:
    view = sent() | {"private_metadata": metadata}
    view["state"]["values"] |= {"thread": {"thread": {"selected_options": [{"value": "thread"}]}}}
    assert read(view, None, ASKED).thread == ""  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["   ", "\u200b", "\u202e\u200d", "\u3164", "\x07"])
def test_a_name_with_nothing_to_see_is_said_at_its_field(name: str) -> None:
    assert read(sent(name=name), None, ASKED) == {"name": "This name is empty. Add a few letters, or leave it out."}


@pytest.mark.parametrize("length", ["59", "86401", "0", "-60", "1e3", "٦٠٠", "forever", "9" * 5000])
def test_a_duration_that_was_not_offered_is_said_at_its_field(length: str) -> None:
    assert list(read(sent(duration=length), None, ASKED)) == ["duration"]  # type: ignore[arg-type]


def test_a_conversation_is_read_where_there_are_some() -> None:
    app = GenesysApp("apps.mypurecloud.com")
    read_here = read(sent(conversation=f" {ID.upper()} "), app, ASKED)
    assert isinstance(read_here, FormInput)
    assert read_here.conversation_id == ID
    for wrong in ("Checkout", f"https://evil.example/{ID}"):
        assert list(read(sent(conversation=wrong), app, ASKED)) == ["conversation"]  # type: ignore[arg-type]


def test_every_field_that_is_wrong_is_told_at_once() -> None:
    assert set(read(sent(name=" ", duration="1"), None, ASKED)) == {"name", "duration"}  # type: ignore[arg-type]


@pytest.mark.parametrize("standing", [each for each in MembershipStatus if each is not MembershipStatus.MEMBER])
def test_refused_host_is_told_in_words_that_a_field_can_show(standing: MembershipStatus) -> None:
    words = host_error(PersonNotAllowedError("not_a_member", UserId("U0GUS"), standing, is_target=True), ENGLISH)
    assert words
    assert "<" not in words
    assert (
        host_error(PersonNotAllowedError("not_a_member", UserId("U0GUS"), standing, is_target=False), ENGLISH) is None
    )


def test_a_host_who_is_not_listed_is_told() -> None:
    assert "may not use" in str(
        host_error(PersonNotAllowedError("not_listed", UserId("U0BEN"), is_target=True), ENGLISH)
    )
    assert host_error(StorageUnavailableError(), ENGLISH) is None


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
