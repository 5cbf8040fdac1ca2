"""Check the interactive elements and inputs of messages, modals and Home tabs against Slack's limits.

In this module, `at` is the JSON pointer of the checked value, for the text of the error.
https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.validation.limits import (
    check_flags,
    check_keys,
    check_length,
    check_text,
    check_url,
    items_of,
    require,
)

Element = dict[str, Any]
UNCHECKED = {
    "external_select", "conversations_select", "channels_select", "multi_static_select", "multi_external_select",
    "multi_users_select", "multi_conversations_select", "multi_channels_select", "datepicker",
    "timepicker", "datetimepicker", "workflow_button", "icon_button", "feedback_buttons",
}  # fmt: skip
"""The types of elements that the bot does not use. For an element of these types, only the fields that most elements
share are checked, such as `action_id`."""
INPUT_ONLY = {"plain_text_input", "number_input", "email_text_input", "url_text_input", "file_input"}
NEVER_IN_INPUT = {"button", "overflow", "workflow_button", "icon_button", "feedback_buttons", "image"}


def elements_of(block: dict[str, Any]) -> list[Element]:
    """Return the elements of a block: interactive elements, inputs, and an image beside a section.

    For a context or rich_text block, return [].
    """
    if block.get("type") in ("context", "rich_text"):
        return []
    elements = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    return [element for element in elements if isinstance(element, dict)]


def check_element(element: Any, at: str, *, in_input: bool = False, others: frozenset[str] = frozenset()) -> None:
    """Check that an element of a block is valid. Raises BlockError if not.

    - `at`: the JSON pointer of the element, for the text of the error.
    - `in_input`: True for an element of an input block, False for an element of an actions or section block.
    - `others`: types of elements that are allowed in addition to the usual types, such as `image`.
    """
    require(isinstance(element, dict), "must be an object", at)
    kind = element.get("type")
    is_misplaced = kind in (NEVER_IN_INPUT if in_input else INPUT_ONLY)
    is_known = kind in CHECKS or kind in UNCHECKED or kind in INPUT_ONLY or kind in others
    require(is_known and not is_misplaced, f"unsupported type: {kind}", f"{at}/type")
    if "action_id" in element:
        check_length(element["action_id"], 1, 255, f"{at}/action_id")
    if kind in CHECKS:
        CHECKS[kind](element, at)
    if "confirm" in element:
        _confirm(element["confirm"], f"{at}/confirm")
    if "dispatch_action_config" in element:
        _dispatch_config(element["dispatch_action_config"], f"{at}/dispatch_action_config")
    if "placeholder" in element:
        check_text(element["placeholder"], 150, f"{at}/placeholder", plain=True)


def _button(button: Element, at: str) -> None:
    check_keys(button, "type text action_id url value style confirm accessibility_label", at)
    check_text(button.get("text"), 75, f"{at}/text", plain=True)
    if "value" in button:
        check_length(button["value"], 1, 2000, f"{at}/value")
    if "url" in button:
        check_url(button["url"], f"{at}/url")
    if "accessibility_label" in button:
        check_length(button["accessibility_label"], 1, 75, f"{at}/accessibility_label")
    require(button.get("style", "primary") in ("primary", "danger"), "unsupported style", f"{at}/style")


def _confirm(confirm: Any, at: str) -> None:
    check_keys(confirm, "title text confirm deny style", at)
    check_text(confirm.get("title"), 100, f"{at}/title", plain=True)
    check_text(confirm.get("text"), 300, f"{at}/text")
    check_text(confirm.get("confirm"), 30, f"{at}/confirm", plain=True)
    check_text(confirm.get("deny"), 30, f"{at}/deny", plain=True)
    require(confirm.get("style", "primary") in ("primary", "danger"), "unsupported style", f"{at}/style")


# selects and choices


def _overflow(element: Element, at: str) -> None:
    check_keys(element, "type action_id options confirm", at)
    options = _options(element, 5, at, keys="text value description url")
    require(len(options) >= 2, "must have at least 2 options", f"{at}/options")
    for index, option in enumerate(options):
        if "url" in option:
            check_url(option["url"], f"{at}/options/{index}/url")


def _users_select(element: Element, at: str) -> None:
    check_keys(element, "type action_id initial_user confirm focus_on_load placeholder", at)
    check_flags(element, ["focus_on_load"], at)
    if "initial_user" in element:
        check_length(element["initial_user"], 1, 255, f"{at}/initial_user")


def _static_select(element: Element, at: str) -> None:
    keys = "type action_id options option_groups initial_option confirm focus_on_load placeholder"
    check_keys(element, keys, at)
    check_flags(element, ["focus_on_load"], at)
    require(("options" in element) != ("option_groups" in element), "must have either options or option_groups", at)
    if "options" in element:
        choices = _options(element, 100, at)
    else:
        choices = []
        for group, where in items_of(element, "option_groups", 100, at):
            check_keys(group, "label options", where)
            check_text(group.get("label"), 75, f"{where}/label", plain=True)
            choices += _options(group, 100, where)
    _initial(element, "initial_option", choices, at)


def _radio_buttons(element: Element, at: str) -> None:
    check_keys(element, "type action_id options initial_option confirm focus_on_load", at)
    check_flags(element, ["focus_on_load"], at)
    _initial(element, "initial_option", _options(element, 10, at, plain=False), at)


def _checkboxes(element: Element, at: str) -> None:
    check_keys(element, "type action_id options initial_options confirm focus_on_load", at)
    check_flags(element, ["focus_on_load"], at)
    choices = _options(element, 10, at, plain=False)
    initial = element.get("initial_options", [choices[0]])
    are_known = isinstance(initial, list) and bool(initial) and all(option in choices for option in initial)
    require(are_known, "must be some of the options", f"{at}/initial_options")


def _options(
    value: Element, maximum: int, at: str, *, plain: bool = True, keys: str = "text value description"
) -> list[Any]:
    items = items_of(value, "options", maximum, at)
    for option, where in items:
        check_keys(option, keys, where)
        check_text(option.get("text"), 75, f"{where}/text", plain=plain)
        check_length(option.get("value"), 1, 150, f"{where}/value")
        if "description" in option:
            check_text(option["description"], 75, f"{where}/description", plain=plain)
    return [option for option, _ in items]


def _initial(element: Element, key: str, choices: list[Any], at: str) -> None:
    require(element.get(key, choices[0]) in choices, "must be exactly one of the options", f"{at}/{key}")


# inputs


def _plain_text_input(element: Element, at: str) -> None:
    keys = (
        "type action_id initial_value multiline min_length max_length dispatch_action_config focus_on_load placeholder"
    )
    check_keys(element, keys, at)
    check_flags(element, ["multiline", "focus_on_load"], at)
    for key, minimum in (("min_length", 0), ("max_length", 1)):
        length = element.get(key, 1)
        is_whole = isinstance(length, int) and not isinstance(length, bool)
        require(is_whole and minimum <= length <= 3000, f"must be from {minimum} to 3000", f"{at}/{key}")
    minimum, maximum = element.get("min_length", 0), element.get("max_length", 3000)
    require(minimum <= maximum, "must not be more than max_length", f"{at}/min_length")
    if "initial_value" in element:
        check_length(element["initial_value"], 0, maximum, f"{at}/initial_value")


def _address_input(element: Element, at: str) -> None:
    """Check an email_text_input or url_text_input. Raises BlockError if the element is invalid."""
    check_keys(element, "type action_id initial_value dispatch_action_config focus_on_load placeholder", at)
    check_flags(element, ["focus_on_load"], at)
    if "initial_value" in element:
        check_length(element["initial_value"], 1, 3000, f"{at}/initial_value")


def _dispatch_config(config: Any, at: str) -> None:
    check_keys(config, "trigger_actions_on", at)
    for trigger, where in items_of(config, "trigger_actions_on", 2, at):
        require(trigger in ("on_enter_pressed", "on_character_entered"), "unsupported trigger", where)


def _number_input(element: Element, at: str) -> None:
    keys = (
        "type action_id is_decimal_allowed initial_value min_value max_value dispatch_action_config focus_on_load "
        "placeholder"
    )
    check_keys(element, keys, at)
    require(isinstance(element.get("is_decimal_allowed"), bool), "must be a boolean", f"{at}/is_decimal_allowed")
    check_flags(element, ["focus_on_load"], at)
    for key in ("initial_value", "min_value", "max_value"):
        if key in element:
            text = element[key]
            require(isinstance(text, str) and is_number(text, element), "must be a number, as a string", f"{at}/{key}")


def is_number(text: str, element: Element) -> bool:
    """Return True if `text` is a number that the number_input `element` allows, otherwise False.

    The number must be an integer if `is_decimal_allowed` of `element` is False. `min_value` and `max_value` of
    `element` are not checked.
    """
    try:
        float(text) if element["is_decimal_allowed"] else int(text)
    except ValueError:
        return False
    return text.strip() == text and text.lower().strip("+-") not in ("nan", "inf", "infinity")


CHECKS: dict[str, Callable[[Element, str], None]] = {
    "button": _button,
    "overflow": _overflow,
    "users_select": _users_select,
    "static_select": _static_select,
    "radio_buttons": _radio_buttons,
    "checkboxes": _checkboxes,
    "plain_text_input": _plain_text_input,
    "number_input": _number_input,
    "email_text_input": _address_input,
    "url_text_input": _address_input,
}
