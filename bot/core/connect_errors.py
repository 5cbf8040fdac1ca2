"""What can go wrong when somebody connects, or acts by, their own Genesys account: one class each, as in errors.py."""

from dataclasses import dataclass

from bot.core.errors import CobrowseError, Refused, ServiceError

OFF = ("needless", "client", "socket", "key")
"""Why nobody can connect: sessions take no sign-in of a person; no OAuth client, no HTTP, no encryption key is set."""


@dataclass(eq=False)
class ConnectOff(CobrowseError):
    """Nobody can connect here; `why` is one of OFF."""

    code = "connect_off"
    why: str


class NotConnected(CobrowseError):
    """There is no connection to take away."""

    code = "not_connected"


@dataclass(eq=False, kw_only=True)
class UserContextNeeded(ServiceError):
    """Genesys does this only for a person who is signed in, and not for an OAuth client.

    `own`: the host is who asked. `off`: why the host cannot connect, one of OFF; "" when they can.
    """

    code = "connect_required"
    own: bool = True
    off: str = "client"

    def __post_init__(self) -> None:
        self.try_again = not self.off  # once they have connected


@dataclass(eq=False, kw_only=True)
class ConnectAgain(ServiceError):
    """Genesys takes the host's own sign-in no more. `own`: the host is who asked."""

    code = "reconnect_required"
    own: bool = True
    try_again = True


@dataclass(eq=False, kw_only=True)
class PersonLacks(ServiceError):
    """403 to the host's own token: their account lacks the permission `needs`. `own`: the host is who asked.

    `words`: Genesys's own, where they name a division; not escaped.
    """

    code = "user_permission_missing"
    needs: str
    own: bool = True
    words: str = ""


class ConnectLinkGone(CobrowseError):
    """The link to connect is unknown, used, replaced by a newer one, or too old."""

    code = "connect_link_expired"


class ConnectDenied(Refused):
    """The person, or Genesys for them, said no to the sign-in."""

    code = "connect_denied"


@dataclass(eq=False)
class NotThatPerson(Refused):
    """Whoever signed in is not the host of the person whom the link was for; `reference` is Genesys's."""

    code = "connect_wrong_user"
    reference: str | None = None


@dataclass(eq=False, kw_only=True)
class SignInFailed(ServiceError):
    """Genesys's login did not complete a sign-in; `oauth_error` is OAuth's error word, `words` its description."""

    code = "connect_failed"
    oauth_error: str
    words: str = ""
