"""Authenticate this client to Genesys's login with a client secret, by HTTP Basic (pure).

private_keys.py does the same with a signed assertion.
"""

import base64
from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """What a token request is authenticated with."""

    @property
    def scopes(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must be masked when the login quotes it."""

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return form fields and headers for one token request. An assertion is valid for one request only."""


@dataclass(frozen=True, slots=True)
class SecretCredentials:
    """A client with a secret, as in public Genesys Cloud. It has roles, so `scopes` may be empty."""

    client_id: str
    secret: str = field(repr=False)
    scopes: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret,)

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {}, {"Authorization": f"Basic {pair}"}
