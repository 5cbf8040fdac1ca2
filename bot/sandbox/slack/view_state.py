"""What people have chosen and typed in blocks: where it starts, what Slack lets through, and how payloads show it.

A value is a text (an option's value, a user's id), several texts for checkboxes, or None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.validation.elements import elements_of, is_number

Block = dict[str, Any]
Value = str | list[str] | None
Values = dict[tuple[str, str], Value]
"""By block_id and action_id."""
STATEFUL = {"plain_text_input", "number_input", "users_select", "static_select", "radio_buttons", "checkboxes"}
REQUIRED = "Please complete this required field."


class IncompleteError(Exception):
    """Slack does not send this modal yet; `errors` says by block_id what it tells the person."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def fields_of(blocks: list[Block]) -> Iterator[tuple[Block, Block]]:
    """Give each block and element that holds a value."""
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in STATEFUL:
                yield block, element


def initial_values(blocks: list[Block], kept: Mapping[tuple[str, str], Value] | None = None) -> Values:
    """Return what the fields hold at first; one that was there before keeps its value, whatever its new initial one."""
    found: Values = {}
    for block, element in fields_of(blocks):
        key = block["block_id"], element["action_id"]
        found[key] = kept[key] if kept and key in kept else _initial(element)
    return found


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


def fill(blocks: list[Block], values: Values, given: Mapping[Any, Value]) -> None:
    """Put what a person chose or typed, by block_id, action_id or both, among the values.

    Raises LookupError for a field or an option that is not there.
    """
    places = {name: key for key in values for name in (*key, key)}
    elements = {(block["block_id"], element["action_id"]): element for block, element in fields_of(blocks)}
    for name, value in given.items():
        if name not in places:
            raise LookupError(f"there is no field {name}, only {sorted({key[1] for key in values})}")
        key = places[name]
        as_shown(elements[key], value)
        values[key] = value or None


def problems(blocks: list[Block], values: Values) -> dict[str, str]:
    """Return by block_id what Slack itself tells people before it sends a modal."""
    found = {}
    for block, element in fields_of(blocks):
        value = values[block["block_id"], element["action_id"]]
        if block["type"] != "input" or (not value and block.get("optional")):
            continue
        sentence = _problem(element, value) if value else REQUIRED
        if sentence:
            found[block["block_id"]] = sentence
    return found


def _problem(element: Block, value: Value) -> str | None:
    if element["type"] == "plain_text_input":
        length, least, most = len(str(value)), element.get("min_length", 0), element.get("max_length", 3000)
        if length < least:
            return f"Please enter at least {least} characters."
        return f"Please enter no more than {most} characters." if length > most else None
    if element["type"] == "number_input":
        if not is_number(str(value), element):
            return "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
        if float(str(value)) < float(element.get("min_value", "-inf")):
            return f"Please enter a number that is at least {element['min_value']}."
        if float(str(value)) > float(element.get("max_value", "inf")):
            return f"Please enter a number that is no more than {element['max_value']}."
    return None


def state_of(blocks: list[Block], values: Mapping[tuple[str, str], Value]) -> dict[str, Any]:
    """Return `state` as payloads show it: by block_id, then by action_id."""
    shown: dict[str, dict[str, Any]] = {}
    for block, element in fields_of(blocks):
        key = block["block_id"], element["action_id"]
        shape = {"type": element["type"], **as_shown(element, values.get(key))}
        shown.setdefault(key[0], {})[key[1]] = shape
    return {"values": shown}


def as_shown(element: Block, value: Value) -> dict[str, Any]:
    """Return a value as payloads show it; raises LookupError for an option that is not there."""
    match element["type"]:
        case "users_select":
            return {"selected_user": value or None}
        case "static_select" | "radio_buttons":
            return {"selected_option": _option(element, str(value)) if value else None}
        case "checkboxes":
            return {"selected_options": [_option(element, each) for each in value or []]}
        case "plain_text_input" | "number_input":
            return {"value": value or None}
    return {}


def _option(element: Block, value: str) -> dict[str, Any]:
    groups = element.get("option_groups") or [element]
    for option in (option for group in groups for option in group["options"]):
        if option["value"] == value:
            shown: dict[str, Any] = option
            return shown
    raise LookupError(f"there is no option {value}")
