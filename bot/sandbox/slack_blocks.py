"""Checks a posted message the way Slack does, limits and shapes, and says where it is wrong.

Covers what a bot posts into messages; the elements of modals only as far as messages may hold them.
Limits: https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

OTHER_ELEMENTS = {
    "static_select", "external_select", "users_select", "conversations_select", "channels_select",
    "multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
    "multi_channels_select", "overflow", "datepicker", "timepicker", "datetimepicker", "radio_buttons", "checkboxes",
    "workflow_button", "icon_button", "feedback_buttons",
}  # fmt: skip
OTHER_BLOCKS = {"image", "video", "file", "markdown", "table", "context_actions", "input"}
RICH_LEAVES = {"text", "link", "user", "usergroup", "channel", "emoji", "date", "broadcast", "color", "team"}
RICH_GROUPS = {"rich_text_section", "rich_text_preformatted", "rich_text_quote"}


class BlockProblem(Exception):
    """What is wrong with a message; `code` is Slack's error, the text its explanation with a JSON pointer."""

    def __init__(self, sentence: str, pointer: str = "", code: str = "invalid_blocks") -> None:
        super().__init__(f"{sentence} [json-pointer:{pointer}]" if pointer else sentence)
        self.code = code


def read_message(args: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and the blocks of a message Slack would take; raises BlockProblem for any other."""
    text, blocks = args.get("text"), args.get("blocks")
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks) if blocks.strip() else None
        except ValueError:
            raise BlockProblem("blocks must be a JSON array", "/blocks", "invalid_blocks_format") from None
    if text is not None and not isinstance(text, str):
        raise BlockProblem("[ERROR] must be a string", "/text", "invalid_arguments")
    if not text and not blocks:
        raise BlockProblem("text or blocks are needed", code="no_text")
    if text and len(text) > 40_000:
        raise BlockProblem("the text is too long", code="msg_too_long")
    check_blocks([] if blocks is None else blocks)
    return text or "", blocks or []


def check_blocks(blocks: Any) -> None:
    """Raise BlockProblem unless these are blocks Slack would take in a message."""
    _need(isinstance(blocks, list), "must be an array", "/blocks")
    _need(len(blocks) <= 50, "no more than 50 items allowed", "/blocks")
    ids = [block.get("block_id") for block in blocks if isinstance(block, dict) and block.get("block_id")]
    _need(len(ids) == len(set(ids)), "block_id already exists", "/blocks")
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        _need(isinstance(block, dict), "must be an object", at)
        _length(block.get("block_id", "x"), 1, 255, f"{at}/block_id")
        kind = block.get("type")
        if kind in CHECKS:
            CHECKS[kind](block, at)
        else:
            _need(kind in OTHER_BLOCKS, f"unsupported type: {kind}", f"{at}/type")


def _need(condition: bool, sentence: str, pointer: str) -> None:
    if not condition:
        raise BlockProblem(sentence, pointer)


def _length(value: Any, least: int, most: int, at: str) -> None:
    _need(isinstance(value, str), "must be a string", at)
    _need(len(value) >= least, f"must be more than {least - 1} characters", at)
    _need(len(value) <= most, f"must be less than {most + 1} characters", at)


def _only(thing: Any, keys: str, at: str) -> None:
    _need(isinstance(thing, dict), "must be an object", at)
    for key in thing:
        _need(key in keys.split(), f"invalid additional property: {key}", at)


def _text(thing: Any, most: int, at: str, *, plain: bool = False) -> None:
    _need(isinstance(thing, dict), "must be an object", at)
    kind = thing.get("type")
    _need(kind == "plain_text" or (kind == "mrkdwn" and not plain), f"unsupported type: {kind}", f"{at}/type")
    _only(thing, "type text emoji" if kind == "plain_text" else "type text verbatim", at)
    _length(thing.get("text"), 1, most, f"{at}/text")


def _section(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id text fields accessory expand", at)
    _need("text" in block or "fields" in block, "missing required field: text", at)
    if "text" in block:
        _text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields", [{"type": "plain_text", "text": "x"}])
    _need(isinstance(fields, list) and 1 <= len(fields) <= 10, "no more than 10 items allowed", f"{at}/fields")
    for index, field in enumerate(fields):
        _text(field, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        _element(block["accessory"], f"{at}/accessory", OTHER_ELEMENTS | {"image"})


def _header(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id text level", at)
    _text(block.get("text"), 150, f"{at}/text", plain=True)


def _divider(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id", at)


def _context(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id elements", at)
    for element, where in _elements(block, at, 10):
        if not (isinstance(element, dict) and element.get("type") == "image"):
            _text(element, 3000, where)


def _actions(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id elements", at)
    elements = _elements(block, at, 25)
    for element, where in elements:
        _element(element, where, OTHER_ELEMENTS)
    ids = [element["action_id"] for element, _ in elements if "action_id" in element]
    _need(len(ids) == len(set(ids)), "action_id already exists", f"{at}/elements")


def _elements(block: dict[str, Any], at: str, most: int) -> list[tuple[Any, str]]:
    elements = block.get("elements")
    _need(isinstance(elements, list) and bool(elements), "must provide at least one element", f"{at}/elements")
    assert isinstance(elements, list)  # noqa: S101 - tells the type checker what the line above made sure
    _need(len(elements) <= most, f"no more than {most} items allowed", f"{at}/elements")
    return [(element, f"{at}/elements/{index}") for index, element in enumerate(elements)]


def _element(element: Any, at: str, others: set[str]) -> None:
    _need(isinstance(element, dict), "must be an object", at)
    if "action_id" in element:
        _length(element["action_id"], 1, 255, f"{at}/action_id")
    if element.get("type") == "button":
        _button(element, at)
    else:
        _need(element.get("type") in others, f"unsupported type: {element.get('type')}", f"{at}/type")


def _button(button: dict[str, Any], at: str) -> None:
    _only(button, "type text action_id url value style confirm accessibility_label", at)
    _text(button.get("text"), 75, f"{at}/text", plain=True)
    if "value" in button:
        _length(button["value"], 1, 2000, f"{at}/value")
    if "url" in button:
        _url(button["url"], f"{at}/url")
    if "accessibility_label" in button:
        _length(button["accessibility_label"], 1, 75, f"{at}/accessibility_label")
    _need(button.get("style", "primary") in ("primary", "danger"), "unsupported style", f"{at}/style")
    if "confirm" in button:
        _confirm(button["confirm"], f"{at}/confirm")


def _confirm(confirm: Any, at: str) -> None:
    _only(confirm, "title text confirm deny style", at)
    _text(confirm.get("title"), 100, f"{at}/title", plain=True)
    _text(confirm.get("text"), 300, f"{at}/text")
    _text(confirm.get("confirm"), 30, f"{at}/confirm", plain=True)
    _text(confirm.get("deny"), 30, f"{at}/deny", plain=True)
    _need(confirm.get("style", "primary") in ("primary", "danger"), "unsupported style", f"{at}/style")


def _url(url: Any, at: str) -> None:
    _length(url, 1, 3000, at)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BlockProblem("invalid url", at) from None
    _need(bool(parts.scheme) and (bool(parts.netloc) or parts.scheme in ("mailto", "tel")), "invalid url", at)
    _need(not any(character.isspace() for character in url), "invalid url", at)


def _rich_text(block: dict[str, Any], at: str) -> None:
    _only(block, "type block_id elements", at)
    for element, where in _elements(block, at, 100):
        _rich_group(element, where)


def _rich_group(group: Any, at: str) -> None:
    _only(group, "type elements border style indent offset language", at)
    kind = group.get("type")
    _need(kind in RICH_GROUPS or kind == "rich_text_list", f"unsupported type: {kind}", f"{at}/type")
    _need(isinstance(group.get("elements"), list), "missing required field: elements", at)
    for index, leaf in enumerate(group["elements"]):
        where = f"{at}/elements/{index}"
        if kind == "rich_text_list":
            _rich_group(leaf, where)
            continue
        _need(isinstance(leaf, dict), "must be an object", where)
        allowed = {"text", "link"} if kind == "rich_text_preformatted" else RICH_LEAVES
        _need(leaf.get("type") in allowed, f"unsupported type: {leaf.get('type')}", f"{where}/type")
        if leaf["type"] == "text":
            _length(leaf.get("text"), 1, 40_000, f"{where}/text")
        if leaf["type"] == "link":
            _url(leaf.get("url"), f"{where}/url")


CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "rich_text": _rich_text,
}
