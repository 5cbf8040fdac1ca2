"""Define the credentials of an OAuth client that signs in with a secret, by HTTP Basic (pure).

private_keys.py defines the credentials of an OAuth client that signs in with a private key.
"""

import base64
from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """The credentials with which an OAuth client requests tokens."""

    @property
    def scopes(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secret texts among the credentials. The caller masks these texts in error messages."""

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the form fields and the headers that authenticate one HTTP request to `token_url`.

        Call this method for each HTTP request, because Genesys accepts a signed assertion only once.
        """


@dataclass(frozen=True, slots=True)
class SecretCredentials:
    """Credentials of an OAuth client with a secret, as in public Genesys Cloud.

    `scopes`: the scopes to request, separated by spaces; "" if the client has roles and no scopes.
    """

    client_id: str
    secret: str = field(repr=False)
    scopes: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret,)

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {}, {"Authorization": f"Basic {pair}"}
