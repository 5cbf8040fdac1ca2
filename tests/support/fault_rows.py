"""Define how each fault of an upstream call shows to people: one row for each call, one phrase for each fault.

server_faults.py implements the faults. fault_matrix.py runs the bot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.app import ANA
from tests.support.faulty_server import UNREACHED
from tests.support.server_faults import FAULTS

ALL = (*UNREACHED, *FAULTS)
UNKNOWN = (
    *("reset before the body", "reset after the body", "answer lost", "closed", "slow headers", "slow body"),
    *("huge body", "cut", "408", "502", "504"),
)
"""Faults after which nobody knows whether the call was done."""
MOVED, NO_JSON = ("moved", "moved for good"), ("page instead of JSON", "page that claims to be JSON", "truncated JSON")


def told(**phrases: str) -> dict[str, str]:
    """Return the phrase for each fault. A key of `phrases` is a fault, or a group of faults that share the phrase."""
    groups = {"unreached": UNREACHED, "unknown": UNKNOWN, "moved": MOVED, "no_json": (*NO_JSON, "wrong types")}
    groups |= {"rest": ("413", "429", "500", "503", "429 with an order")}
    found: dict[str, str] = {}
    for name, phrase in phrases.items():
        found |= dict.fromkeys(groups.get(name, (name.removeprefix("f").replace("_", " "),)), phrase)
    assert set(found) == set(ALL), set(ALL) ^ set(found)
    return found


@dataclass(frozen=True)
class Row:
    """A call in the fault matrix, and the command that makes the bot send it.

    `front` is the upstream and `on` the pattern of the request line. `after` is the request after which the host is
    lost. `who` types `text`.
    """

    front: str
    on: str
    told: Mapping[str, str]
    after: str = ""
    who: str = ANA
    text: str = ""
    wrong_types: bytes = b"[7]"
    prepare: Mapping[str, str] = field(default_factory=dict)


GENESYS_SAYS = {  # to Ana, who is the contact
    "f413": "refused the request (413)",
    "f429": "too busy",
    "f503": "too busy",
    "f429_with_an_order": "too busy",
}
GENESYS_SAYS |= {"f500": "has a problem", "unreached": "can’t reach Genesys", "moved": "a redirect"}
CANNOT = {"unknown": "can’t reach Genesys"}
CREATES = {"500": 3, "429": 99, "503": 99, "429 with an order": 37} | dict.fromkeys(UNREACHED, 0)
"""How often a create may be seen; whatever is not here: once."""
