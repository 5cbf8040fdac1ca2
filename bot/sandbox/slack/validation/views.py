"""Check a modal or a Home tab against Slack's shapes and limits.

https://docs.slack.dev/reference/views
"""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox.slack.validation.blocks import check_blocks
from bot.sandbox.slack.validation.elements import elements_of
from bot.sandbox.slack.validation.limits import BlockError, check_flags, check_keys, check_length, check_text, require

EVERYWHERE = "type blocks private_metadata callback_id external_id"
MODAL = f"{EVERYWHERE} title submit close clear_on_close notify_on_close submit_disabled"
MAX_BYTES = 250_000


def read_view(value: Any, kind: str) -> dict[str, Any]:
    """Check a view, and return the view as an object. Raises BlockError if the view is invalid.

    - `value`: the view as an object or as JSON text.
    - `kind`: the type that the view must have, "modal" or "home".
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise BlockError("must be a JSON object", "/view", "invalid_arguments") from None
    if len(json.dumps(value)) > MAX_BYTES:
        raise BlockError("the view is too large", code="view_too_large")
    try:
        _check(value, kind)
    except BlockError as error:
        raise BlockError(str(error), code="invalid_arguments") from None
    view: dict[str, Any] = value
    return view


def _check(view: Any, kind: str) -> None:
    require(isinstance(view, dict), "must be an object", "/view")
    require(view.get("type") == kind, f"unsupported type: {view.get('type')}", "/view/type")
    check_keys(view, MODAL if kind == "modal" else EVERYWHERE, "/view")
    for key, maximum in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if key in view:
            check_length(view[key], 0, maximum, f"/view/{key}")
    require("blocks" in view, "missing required field: blocks", "/view")
    check_blocks(view["blocks"], "/view/blocks", 100)
    if kind == "modal":
        _check_modal(view)
    _check_elements(view["blocks"])


def _check_modal(view: dict[str, Any]) -> None:
    check_text(view.get("title"), 24, "/view/title", plain=True)
    for key in ("submit", "close"):
        if view.get(key) is not None:
            check_text(view[key], 24, f"/view/{key}", plain=True)
    check_flags(view, ["clear_on_close", "notify_on_close", "submit_disabled"], "/view")
    has_input = any(block.get("type") == "input" for block in view["blocks"])
    require(not has_input or view.get("submit") is not None, "submit is needed beside an input block", "/view/submit")


def _check_elements(blocks: list[dict[str, Any]]) -> None:
    focused = [block for block in blocks if any(element.get("focus_on_load") for element in elements_of(block))]
    require(len(focused) <= 1, "only one element may have focus_on_load", "/view/blocks")
