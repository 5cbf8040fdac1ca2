"""How this client proves to Genesys's login who it is: here by a client secret, in keys.py by an assertion (pure).

HTTP Basic, as Genesys documents it.
"""

import base64
from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """What a token is asked for with."""

    @property
    def scopes(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown when the login quotes it."""

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Form fields and headers that prove who asks. A new proof each time: an assertion is good for one use."""


@dataclass(frozen=True, slots=True)
class SecretCredentials:
    """A client with a secret, as public Genesys Cloud has them; it has roles, so scopes are sent only when set."""

    client_id: str
    secret: str = field(repr=False)
    scopes: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret,)

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {}, {"Authorization": f"Basic {pair}"}
