"""The dialog that connects a person to a Genesys user (pure), checked against Slack's limits."""

import json
from typing import Any

import pytest

from bot.core.models import DirectoryUser, TeamId, UserId
from bot.sandbox.slack.validation.views import read_view
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.views import connect_person
from bot.slack.views.connect_person import (
    choose_form,
    find_form,
    id_form,
    person_form,
    read_chosen_person,
    read_person,
    read_text,
    read_user,
)
from tests.support.views import fields, presses, said

UNA = (TeamId("T0TEAM"), UserId("U0UNA"))
ID = "55555555-5555-4555-8555-555555555555"
LONG = [
    DirectoryUser(f"{ID[:-2]}{n:02}", True, f"{'x' * 90}@example.com", name=f"<!channel> {'y' * 100} {n}")
    for n in range(30)
]
VIEWS = {
    "person": person_form(ENGLISH),
    "person with a problem": person_form(ENGLISH, UserId("U0GUS"), "<@U0GUS> is a guest."),
    "loading": connect_person.loading("abcdefghijkl", ENGLISH),
    "searching": connect_person.note(connect_person.SEARCHING, ENGLISH),
    "first": find_form(UNA, ENGLISH),
    "first with a name": find_form(UNA, ENGLISH, "Una " * 100, problem="*Nobody*"),
    "second": choose_form(UNA, "una", LONG, ENGLISH, more=True),
    "second with one": choose_form(UNA, "una", [DirectoryUser(ID, True, "", name="")], ENGLISH),
    "by id": id_form(UNA, "directory:user:view", ENGLISH),
}


@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_it(name: str) -> None:
    assert read_view(VIEWS[name], "modal") == VIEWS[name]


def test_each_step_has_one_field_and_remembers_the_person() -> None:
    for name, view in VIEWS.items():
        if "submit" in view:
            assert len(fields(view)) == 1, name
            assert read_person(view)[0] == (("", "") if name.startswith("person") else UNA)
    assert read_person(VIEWS["second"])[1] == "una"
    assert presses(VIEWS["second"]) == ["connect_search_again"]
    assert "There are more" in said(VIEWS["second"])


def test_choices_name_the_user_and_hold_the_id() -> None:
    element = next(block["element"] for block in VIEWS["second"]["blocks"] if block.get("block_id") == "user")
    assert len(element["options"]) == 10
    assert element["options"][0]["value"] == LONG[0].id
    assert element["options"][0]["text"]["type"] == "plain_text"  # where no name rings a channel
    assert "initial_option" not in element  # a wrong user is the worst mistake, so nobody is chosen beforehand


def sent(**values: Any) -> dict[str, Any]:
    return {"private_metadata": json.dumps([*UNA, ""]), "state": {"values": {n: {n: v} for n, v in values.items()}}}


def test_submissions_are_read() -> None:
    assert read_text(sent(text={"value": "  Una\n Unmapped "})) == "Una Unmapped"
    assert read_user(sent(user={"selected_option": {"value": ID}})) == ID
    assert read_user(sent(user={"value": f" {ID.upper()} "})) == ID
    for wrong in ("una", "", f"{ID}0", None):
        assert read_user(sent(user={"value": wrong})) is None
    assert read_text(sent()) == ""
    assert read_chosen_person(sent(person={"selected_user": "U0UNA"})) == "U0UNA"
    assert read_chosen_person(sent(person={"selected_user": None})) is None
