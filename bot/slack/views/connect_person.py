"""Build and parse the dialog in which an administrator connects a person to a Genesys user (pure).

The steps are: choose the person, search Genesys by name or email address, choose one of the Genesys users found. A
dialog that is opened for a certain person has no first step. If the bot may not search Genesys, one step takes the
place of the last two steps, and asks for the Genesys user's id.
"""

import json
from collections.abc import Sequence
from typing import Any

from bot.core.hosts.resolver import host_id
from bot.core.models import DirectoryUser, HostId, PersonKey, TeamId, UserId
from bot.core.validation.display import clean
from bot.slack.messages.blocks import Block, View, button, buttons, context, section
from bot.slack.messages.catalogue.sentence import (
    HINT_LENGTH,
    TITLE_LENGTH,
    Language,
    Sentence,
    label,
    mention,
    said,
)
from bot.slack.views.session_form import CANCEL, CLOSE, LOADING

PERSON_FORM, FIND_FORM = "connect_person_form", "connect_find_form"
CHOOSE_FORM, ID_FORM = "connect_choose_form", "connect_id_form"
AGAIN_ACTION = "connect_search_again"
TEXT, USER, PERSON = "text", "user", "person"
"""The block ids, and also the action ids, of the dialog's fields: the search text, the Genesys user, and the person to
connect."""
MIN_TEXT_LENGTH, MAX_TEXT_LENGTH = 2, 100
MAX_CHOICES = 10
"""The maximum number of options of a radio button group.
https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element"""
OPTION_LENGTH = 75

TITLE = label("connect.title", "Connect to Genesys", limit=TITLE_LENGTH)
NEXT = label("connect.next", "Next", limit=TITLE_LENGTH)
FIND = label("connect.find", "Find", limit=TITLE_LENGTH)
CONNECT = label("connect.connect", "Connect", limit=TITLE_LENGTH)
AGAIN = label("connect.again", "Search again")
WHO = said("connect.who", "Who is {person} in Genesys?")
PERSON_LABEL = label("connect.person", "Who should I connect?")
NO_PERSON = label("connect.person.empty", "Choose a person.", limit=HINT_LENGTH)
TEXT_LABEL = label("connect.text", "Name or email")
TEXT_HINT = label("connect.text.hint", "As it stands in Genesys. A part of it will do.", limit=HINT_LENGTH)
USER_LABEL = label("connect.user", "Genesys user")
ID_LABEL = label("connect.id", "Genesys user’s ID")
ID_HINT = label(
    "connect.id.hint",
    "In Genesys, open Admin › People and the person. The ID is in the page’s address.",
    limit=HINT_LENGTH,
)
NO_SEARCH = said("connect.no_search", "I may not search Genesys: my client lacks `{permission}`.")
NOBODY = said("connect.nobody", "Genesys has no active user with “{text}” in the name or email.")
MORE = said("connect.more", "There are more. Search again with more of the name.")
SEARCHING = said("connect.searching", "Searching Genesys…")
CONNECTING = said("connect.connecting", "Connecting…")
CONNECTED = said("connect.connected", "{person} is connected to Genesys already. Nothing is left to do.")
NO_TEXT = label("connect.text.empty", "Type a name or an email address.", limit=HINT_LENGTH)
NO_ID = label(
    "connect.id.wrong",
    "That isn’t a Genesys user’s ID. It looks like 1b2c3d4e-1111-2222-3333-444455556666.",
    limit=HINT_LENGTH,
)


def loading(external_id: str, language: Language) -> View:
    """Build the view that the dialog shows until its content is loaded.

    `external_id`: the bot's own id of the view, by which the bot updates it later.
    """
    return _modal([section(language.say(LOADING))], CANCEL, language) | {"external_id": external_id}


def note(sentence: Sentence, language: Language, **values: str) -> View:
    """Build a view of the dialog that shows one sentence. `values` are the values of the sentence's placeholders."""
    return _modal([section(language.say(sentence, **values))], CLOSE, language)


def person_form(language: Language, person: UserId | None = None, problem: str = "") -> View:
    """Build the step that asks for the person to connect.

    - `person`: the person whom the menu selects at first; None for nobody.
    - `problem`: the reason why this person cannot be connected, as mrkdwn; "" for none.
    """
    who: Block = {"type": "users_select"} | ({"initial_user": person} if person else {})
    blocks = [*_problem(problem), _input(PERSON, language.say(PERSON_LABEL), who)]
    return _form(PERSON_FORM, blocks, NEXT, ["", "", ""], language)


def find_form(person: PersonKey, language: Language, text: str = "", problem: str = "") -> View:
    """Build the step in which the administrator searches for the Genesys user of `person`.

    - `text`: the text that is already in the search field.
    - `problem`: the reason why the last search showed no Genesys users, as mrkdwn; "" for none.
    """
    field: Block = {"type": "plain_text_input", "min_length": MIN_TEXT_LENGTH, "max_length": MAX_TEXT_LENGTH}
    if suggested := clean(text, MAX_TEXT_LENGTH):
        field["initial_value"] = suggested
    blocks = [_who(person, language), *_problem(problem)]
    blocks.append(_input(TEXT, language.say(TEXT_LABEL), field, language.say(TEXT_HINT)))
    return _form(FIND_FORM, blocks, FIND, [*person, text], language)


def choose_form(
    person: PersonKey, text: str, users: Sequence[DirectoryUser], language: Language, *, more: bool = False
) -> View:
    """Build the step in which the administrator chooses one of the Genesys users found.

    - `text`: the search text.
    - `users`: the Genesys users found. Only the first MAX_CHOICES are shown.
    - `more`: whether Genesys has found other users, too, which are not in `users`.
    """
    options = [_option(user) for user in users[:MAX_CHOICES]]
    blocks = [
        _who(person, language),
        _input(USER, language.say(USER_LABEL), {"type": "radio_buttons", "options": options}),
        *([context(language.say(MORE))] if more else []),
        buttons(button(language.say(AGAIN), AGAIN_ACTION, value="again")),
    ]
    return _form(CHOOSE_FORM, blocks, CONNECT, [*person, text], language)


def id_form(person: PersonKey, permission: str, language: Language) -> View:
    """Build the step that asks for the Genesys user's id. This step is used if the bot may not search Genesys.

    `permission`: the permission that the bot lacks.
    """
    field: Block = {"type": "plain_text_input", "max_length": MAX_TEXT_LENGTH}
    blocks = [
        _who(person, language),
        _input(USER, language.say(ID_LABEL), field, language.say(ID_HINT)),
        context(language.say(NO_SEARCH, permission=permission)),
    ]
    return _form(ID_FORM, blocks, CONNECT, [*person, ""], language)


def read_person(view: View) -> tuple[PersonKey, str]:
    """Return the person whom the dialog connects, and the text of the last search; "" if there was none."""
    team_id, user_id, text = json.loads(view["private_metadata"])
    return (TeamId(team_id), UserId(user_id)), str(text)


def read_text(view: View) -> str:
    """Return the search text that the administrator submitted."""
    return clean(_value(view, TEXT), MAX_TEXT_LENGTH)


def read_user(view: View) -> HostId | None:
    """Return the id of the Genesys user that the administrator chose or typed; None if the typed text is not an id."""
    return host_id(_value(view, USER))


def read_chosen_person(view: View) -> UserId | None:
    """Return the person whom the administrator chose to connect; None if the administrator chose nobody."""
    chosen = _value(view, PERSON)
    return UserId(chosen) if chosen else None


def _problem(problem: str) -> list[Block]:
    return [section(f":warning: {problem}")] if problem else []


def _who(person: PersonKey, language: Language) -> Block:
    return section(language.say(WHO, person=mention(person[1])))


def _option(user: DirectoryUser) -> Block:
    name, email = (clean(each, OPTION_LENGTH) for each in (user.name, user.email))
    option: Block = {"text": _plain(name or email or user.id), "value": user.id}
    return option | {"description": _plain(email)} if email else option


def _form(callback_id: str, blocks: list[Block], submit: Sentence, metadata: list[str], language: Language) -> View:
    view = _modal(blocks, CANCEL, language)
    return view | {
        "callback_id": callback_id,
        "submit": _plain(language.say(submit)),
        "private_metadata": json.dumps(metadata),
    }


def _modal(blocks: list[Block], close: Sentence, language: Language) -> View:
    return {
        "type": "modal",
        "title": _plain(language.say(TITLE)),
        "close": _plain(language.say(close)),
        "blocks": blocks,
    }


def _input(name: str, text: str, element: Block, hint: str = "") -> Block:
    block: Block = {"type": "input", "block_id": name, "label": _plain(text), "element": {**element, "action_id": name}}
    return block | {"hint": _plain(hint)} if hint else block


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _value(view: View, name: str) -> str:
    state: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    field = (state.get(name) or {}).get(name) or {}
    option = (field.get("selected_option") or {}).get("value")
    return str(field.get("value") or field.get("selected_user") or option or "")
