"""Manage the values of inputs in blocks: initial values, Slack's checks, and the field `state` of payloads.

The value of an input is a string (a text, the value of an option, or a user id), a list of strings (checkboxes), or
None (an empty input).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.validation.elements import elements_of, is_number

Block = dict[str, Any]
Value = str | list[str] | None
Values = dict[tuple[str, str], Value]
"""Values of inputs, by block_id and action_id."""
TEXTS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
STATEFUL = TEXTS | {"users_select", "static_select", "radio_buttons", "checkboxes"}
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
REQUIRED = "Please complete this required field."


class IncompleteFormError(Exception):
    """A modal cannot be submitted, because the value of an input is invalid.

    `errors`: Slack's error messages about the inputs, by block_id.
    """

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def fields_of(blocks: list[Block]) -> Iterator[tuple[Block, Block]]:
    """Yield each input in `blocks` as a pair: the block that contains the input, and the input.

    An element is an input if its type is in STATEFUL, such as `static_select`.
    """
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in STATEFUL:
                yield block, element


def initial_values(blocks: list[Block], previous: Mapping[tuple[str, str], Value] | None = None) -> Values:
    """Return the values of the inputs in `blocks` when Slack shows the blocks for the first time or after an update.

    `previous`: the values before the bot updated the blocks; None for new blocks. An input that has a value in
    `previous` keeps this value. Any other input has the initial value that the block contains.
    """
    result: Values = {}
    for block, element in fields_of(blocks):
        key = block["block_id"], element["action_id"]
        result[key] = previous[key] if previous and key in previous else _initial(element)
    return result


def _initial(element: Block) -> Value:
    value: Value = element.get("initial_value")
    match element["type"]:
        case "users_select":
            value = element.get("initial_user")
        case "static_select" | "radio_buttons":
            value = element.get("initial_option", {}).get("value")
        case "checkboxes":
            value = [option["value"] for option in element.get("initial_options", [])]
    return value


def set_values(blocks: list[Block], values: Values, inputs: Mapping[Any, Value]) -> None:
    """Change the values of inputs.

    - `blocks`: the blocks that contain the inputs.
    - `values`: the values of all inputs in `blocks`. The function changes `values` in place.
    - `inputs`: the new values. A key is a block_id, an action_id or a tuple (block_id, action_id).

    Raises LookupError for an unknown input or option.
    """
    keys = {name: key for key in values for name in (*key, key)}
    elements = {(block["block_id"], element["action_id"]): element for block, element in fields_of(blocks)}
    for name, value in inputs.items():
        if name not in keys:
            raise LookupError(f"there is no field {name}, only {sorted({key[1] for key in values})}")
        key = keys[name]
        value_payload(elements[key], value)
        values[key] = value or None


def validation_errors(blocks: list[Block], values: Values) -> dict[str, str]:
    """Return Slack's messages about inputs with invalid values, by block_id; {} if all values are valid.

    Only inputs in blocks of the type `input` are checked. An empty input is invalid, unless its block is optional.

    `values`: the values of the inputs in `blocks`.
    """
    result = {}
    for block, element in fields_of(blocks):
        value = values[block["block_id"], element["action_id"]]
        if block["type"] != "input" or (not value and block.get("optional")):
            continue
        message = _problem(element, value) if value else REQUIRED
        if message:
            result[block["block_id"]] = message
    return result


def _problem(element: Block, value: Value) -> str | None:
    if element["type"] == "plain_text_input":
        length, minimum, maximum = len(str(value)), element.get("min_length", 0), element.get("max_length", 3000)
        if length < minimum:
            return f"Please enter at least {minimum} characters."
        return f"Please enter no more than {maximum} characters." if length > maximum else None
    if element["type"] == "number_input":
        if not is_number(str(value), element):
            return "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
        if float(str(value)) < float(element.get("min_value", "-inf")):
            return f"Please enter a number that is at least {element['min_value']}."
        if float(str(value)) > float(element.get("max_value", "inf")):
            return f"Please enter a number that is no more than {element['max_value']}."
    if element["type"] == "email_text_input" and not EMAIL.fullmatch(str(value)):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and not WEB_ADDRESS.fullmatch(str(value)):
        return "Please enter a valid URL."
    return None


def state_of(blocks: list[Block], values: Mapping[tuple[str, str], Value]) -> dict[str, Any]:
    """Return the field `state` of a payload: the values of the inputs, by block_id and action_id."""
    shown: dict[str, dict[str, Any]] = {}
    for block, element in fields_of(blocks):
        key = block["block_id"], element["action_id"]
        shape = {"type": element["type"], **value_payload(element, values.get(key))}
        shown.setdefault(key[0], {})[key[1]] = shape
    return {"values": shown}


def value_payload(element: Block, value: Value) -> dict[str, Any]:
    """Return the value of an element in the shape of Slack's payloads. For a button, return {}.

    - `element`: an input, an overflow menu or a button.
    - `value`: the value of the input, or of the chosen option in the overflow menu. A button ignores `value`.

    Raises LookupError for an unknown option.
    """
    match element["type"]:
        case "users_select":
            return {"selected_user": value or None}
        case "static_select" | "radio_buttons":
            return {"selected_option": _option_object(element, str(value)) if value else None}
        case "overflow":
            return {"selected_option": _option_object(element, str(value))}
        case "checkboxes":
            return {"selected_options": [_option_object(element, each) for each in value or []]}
        case kind if kind in TEXTS:
            return {"value": value or None}
    return {}


def _option_object(element: Block, value: str) -> dict[str, Any]:
    groups = element.get("option_groups") or [element]
    for option in (option for group in groups for option in group["options"]):
        if option["value"] == value:
            shown: dict[str, Any] = option
            return shown
    raise LookupError(f"there is no option {value}")
