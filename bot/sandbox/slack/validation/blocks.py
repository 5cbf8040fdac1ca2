"""Check messages, and the blocks of messages, modals and Home tabs, against Slack's shapes and limits.

In this module, `at` is the JSON pointer of the checked value, for the text of the error.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.validation.elements import check_element
from bot.sandbox.slack.validation.limits import (
    BlockError,
    check_flags,
    check_keys,
    check_length,
    check_text,
    check_url,
    items_of,
    require,
)

UNCHECKED = {"image", "video", "file", "markdown", "table", "context_actions"}
"""The types of blocks that the bot does not use. For a block of these types, only `block_id` is checked."""
IMAGE = frozenset({"image"})
RICH_LEAVES = {"text", "link", "user", "usergroup", "channel", "emoji", "date", "broadcast", "color", "team"}
RICH_GROUPS = {"rich_text_section", "rich_text_preformatted", "rich_text_quote"}


def read_message(args: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Check a message, and return its text and its blocks: "" if there is no text, [] if there are no blocks.

    `args`: the arguments of a call that sends a message, or the body of a post to a response_url.

    Raises BlockError if the message is invalid.
    """
    text, blocks = args.get("text"), args.get("blocks")
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks) if blocks.strip() else None
        except ValueError:
            raise BlockError("blocks must be a JSON array", "/blocks", "invalid_blocks_format") from None
    if text is not None and not isinstance(text, str):
        raise BlockError("[ERROR] must be a string", "/text", "invalid_arguments")
    if not text and not blocks:
        raise BlockError("text or blocks are needed", code="no_text")
    if text and len(text) > 40_000:
        raise BlockError("the text is too long", code="msg_too_long")
    check_blocks([] if blocks is None else blocks)
    return text or "", blocks or []


def check_blocks(blocks: Any, at: str = "/blocks", maximum: int = 50) -> None:
    """Check that `blocks` is a list of at most `maximum` valid blocks. Raises BlockError if not.

    `at`: the JSON pointer of the list, for the text of the error.
    """
    require(isinstance(blocks, list), "must be an array", at)
    require(len(blocks) <= maximum, f"no more than {maximum} items allowed", at)
    ids = [block.get("block_id") for block in blocks if isinstance(block, dict) and block.get("block_id")]
    require(len(ids) == len(set(ids)), "block_id already exists", at)
    for index, block in enumerate(blocks):
        where = f"{at}/{index}"
        require(isinstance(block, dict), "must be an object", where)
        check_length(block.get("block_id", "x"), 1, 255, f"{where}/block_id")
        kind = block.get("type")
        if kind in CHECKS:
            CHECKS[kind](block, where)
        else:
            require(kind in UNCHECKED, f"unsupported type: {kind}", f"{where}/type")


def _section(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id text fields accessory expand", at)
    require("text" in block or "fields" in block, "missing required field: text", at)
    if "text" in block:
        check_text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields", [{"type": "plain_text", "text": "x"}])
    require(isinstance(fields, list) and 1 <= len(fields) <= 10, "no more than 10 items allowed", f"{at}/fields")
    for index, field in enumerate(fields):
        check_text(field, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        check_element(block["accessory"], f"{at}/accessory", others=IMAGE)


def _header(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id text level", at)
    check_text(block.get("text"), 150, f"{at}/text", plain=True)


def _divider(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id", at)


def _context(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id elements", at)
    for element, where in items_of(block, "elements", 10, at):
        if not (isinstance(element, dict) and element.get("type") == "image"):
            check_text(element, 3000, where)


def _actions(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id elements", at)
    elements = items_of(block, "elements", 25, at)
    for element, where in elements:
        check_element(element, where)
    ids = [element["action_id"] for element, _ in elements if "action_id" in element]
    require(len(ids) == len(set(ids)), "action_id already exists", f"{at}/elements")


def _input(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id label element dispatch_action hint optional", at)
    check_text(block.get("label"), 2000, f"{at}/label", plain=True)
    if "hint" in block:
        check_text(block["hint"], 2000, f"{at}/hint", plain=True)
    check_flags(block, ["dispatch_action", "optional"], at)
    check_element(block.get("element"), f"{at}/element", in_input=True)


def _rich_text(block: dict[str, Any], at: str) -> None:
    check_keys(block, "type block_id elements", at)
    for element, where in items_of(block, "elements", 100, at):
        _rich_group(element, where)


def _rich_group(group: Any, at: str) -> None:
    check_keys(group, "type elements border style indent offset language", at)
    kind = group.get("type")
    require(kind in RICH_GROUPS or kind == "rich_text_list", f"unsupported type: {kind}", f"{at}/type")
    require(isinstance(group.get("elements"), list), "missing required field: elements", at)
    for index, leaf in enumerate(group["elements"]):
        where = f"{at}/elements/{index}"
        if kind == "rich_text_list":
            _rich_group(leaf, where)
            continue
        require(isinstance(leaf, dict), "must be an object", where)
        allowed = {"text", "link"} if kind == "rich_text_preformatted" else RICH_LEAVES
        require(leaf.get("type") in allowed, f"unsupported type: {leaf.get('type')}", f"{where}/type")
        if leaf["type"] == "text":
            check_length(leaf.get("text"), 1, 40_000, f"{where}/text")
        if leaf["type"] == "link":
            check_url(leaf.get("url"), f"{where}/url")


CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
}
