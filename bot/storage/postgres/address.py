"""Check a Postgres URL before the bot connects, and drop or refuse parameters that the bot does not support.

asyncpg sends an unknown parameter to the server as a setting. asyncpg also splits the URL at the first `@`, `/`, `?` or
`#`, and could look up a part of the password as a host name.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import re
import ssl
from dataclasses import dataclass
from urllib.parse import unquote

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
ENCRYPTED, VERIFIED = MODES[3:], MODES[4:]
VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
CHOICES = {
    "sslmode": MODES,
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "read-write"),
    "ssl_min_protocol_version": VERSIONS,
    "ssl_max_protocol_version": VERSIONS,
}
LEFT_OUT = (
    *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    *("tcp_user_timeout", "fallback_application_name", "load_balance_hosts", "sslcompression", "sslsni"),
    *("pgbouncer", "connection_limit", "pool_timeout", "pool_max_conns_per_host", "socket_timeout"),  # other clients
    *("statement_cache_size", "prepared_statements", "prepareThreshold", "pool_size", "max_overflow"),
)
"""Parameters of the URL that tune a database client. The bot drops these parameters and uses its own values."""
PROTECTIONS = {
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer", "allow"),
    "sslcertmode": ("disable", "allow"),
    "requiressl": ("0",),
}
"""Parameters that can require a safer connection, each with the values that require nothing.

The bot drops a parameter that has one of these values. Any other value is a fault of the URL. Exception: with sslmode
verify-ca or verify-full, the bot drops `channel_binding` and `gssencmode` with any value."""
INSTEAD = {
    "ssl": "Write sslmode=require in its place, sslmode=verify-full to check the certificate, or sslmode=disable.",
    "sslaccept": "Write sslmode=verify-full in its place, or sslmode=require to check no certificate.",
    "sslidentity": "Write sslcert and sslkey in its place.",
    "schema": "Write options=-csearch_path%3Dname in its place.",
    "currentSchema": "Write options=-csearch_path%3Dname in its place.",
    "hostaddr": "Write the address as the host.",
    "requirepeer": "Remove it; sslmode=verify-full protects a connection over the network.",
    "require_auth": "Remove it; sslmode=verify-full protects the password.",
    "channel_binding": "Remove it, and write sslmode=verify-full with sslrootcert in its place.",
    "gssencmode": "Remove it, and write sslmode=verify-full with sslrootcert in its place.",
    "sslcertmode": "Remove it, and name the certificate with sslcert and sslkey.",
    "requiressl": "Write sslmode=require in its place.",
    "replication": "Remove it.",
    "sslcrldir": "Write sslcrl with a file in its place.",
}
MAY_HOLD_AT = ("user", "password", "application_name", "options", "passfile")
ENCODE = (
    "Percent-encode special characters in the user and password: # is %23, @ is %40, / is %2F, ? is %3F, [ is %5B, "
    "] is %5D."
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[^\s\[\]:@]*)(?::([^:]*))?")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The result of checking a Postgres URL.

    - `url`: the checked URL, without the parameters that the bot ignores. If the URL names several servers and has no
      parameter `target_session_attrs`, this parameter is added, so that the driver looks for a writable server.
    - `left_out`: the names of the parameters that the bot ignores.
    - `faults`: one text for each fault in the URL. A text may name a parameter, but contains no part of the password.
    """

    url: str
    left_out: tuple[str, ...]
    faults: tuple[str, ...]


def read_address(url: str) -> DatabaseAddress:
    """Check a Postgres URL, and return the result. The bot cannot use a URL for which the result has `faults`."""
    scheme, _, rest = url.partition("://")
    if "#" in rest:
        return DatabaseAddress(url, (), (f"has a # in it as it is. {ENCODE}",))
    authority, path, query = _parts(url)
    user_info, _, hosts = authority.rpartition("@")
    if set(user_info) & set("@[]") or "@" in path:
        return DatabaseAddress(url, (), (f"has one of @ / ? [ ] in its user or password as it is. {ENCODE}",))
    if fault := _host_fault(hosts):
        return DatabaseAddress(url, (), (fault,))
    pairs = [part.partition("=") for part in query.split("&") if part]
    if any(not sign or not re.fullmatch(r"[\w.]+", unquote(name)) for name, sign, _ in pairs):
        return DatabaseAddress(url, (), (f"has something behind its ? that is no name=value. {ENCODE}",))
    if any("@" in value and unquote(name) not in MAY_HOLD_AT for name, _, value in pairs):
        return DatabaseAddress(url, (), (f"has an @ behind its ? as it is. {ENCODE}",))
    given = {unquote(name): unquote(value) for name, _, value in pairs if value}
    left_out = tuple(name for name in given if _is_left_out(name, given))
    faults = tuple(fault for name in given if name not in left_out and (fault := _fault(name, given)))
    kept = ["".join(pair) for pair in pairs if unquote(pair[0]) not in left_out]
    if "," in f"{hosts}{given.get('host', '')}" and "target_session_attrs" not in given:
        kept.append("target_session_attrs=read-write")  # the bot cannot use a standby
    clean = f"{scheme}://{authority}{path}" + ("?" + "&".join(kept) if kept else "")
    return DatabaseAddress(clean, left_out, faults)


def is_same_database(url: str, other: str) -> bool:
    """Return whether two Postgres URLs are equal, apart from scheme, user, password and the order of the parameters."""
    return _without_user(url) == _without_user(other)


def is_same_user(url: str, other: str) -> bool:
    """Return whether two Postgres URLs name the same user. Return True if neither URL names a user."""
    return _user(url) == _user(other)


def _parts(url: str) -> tuple[str, str, str]:
    """Split a URL into its user information with its hosts, its path, and its parameters."""
    whole, _, query = url.partition("://")[2].partition("?")
    authority, slash, path = whole.partition("/")
    return authority, slash + path, query


def _user(url: str) -> str:
    authority, _, query = _parts(url)
    named = [each for each in query.split("&") if each.startswith("user=")]
    return named[0].removeprefix("user=") if named else authority.rpartition("@")[0].partition(":")[0]


def _without_user(url: str) -> tuple[str, str, list[str]]:
    """Return the servers with ports, the path, and the sorted parameters of a URL. Leave out user and password."""
    authority, path, query = _parts(url)
    secret = ("user=", "password=")
    kept = sorted(each for each in query.split("&") if not each.startswith(secret))
    return authority.rpartition("@")[2], path.removeprefix("/"), kept


def _host_fault(hosts: str) -> str:
    for one in hosts.split(",") if hosts else ():
        found = _HOST.fullmatch(one)
        if not one or found is None or re.search(r"\s", unquote(one)):
            return f"has a host that is none. Write host or host:port, an IPv6 address in brackets. {ENCODE}"
        if found[2] is not None and not _is_port(unquote(found[2])):
            return f"has a port that is no number from 1 to 65535. {ENCODE}"
    return ""


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and 0 < int(text) < 65_536


def _is_left_out(name: str, given: dict[str, str]) -> bool:
    demands_nothing = given[name] in PROTECTIONS.get(name, ())
    verified = given.get("sslmode", "").replace("_", "-") in VERIFIED  # protects against a man in the middle as well
    return name in LEFT_OUT or demands_nothing or (name in ("channel_binding", "gssencmode") and verified)


def _fault(name: str, given: dict[str, str]) -> str:
    value = given[name]
    if name in INSTEAD:
        return f"has the parameter {name}, which Postgres's driver here does not know. {INSTEAD[name]}"
    if name == "sslmode" and value == "no-verify":
        return (
            "has sslmode=no-verify, which Postgres's driver here does not know. "
            "Write sslmode=require, which checks no certificate either, or sslmode=verify-full."
        )
    if name == "sslrootcert" and value == "system":
        return (
            "has sslrootcert=system, which Postgres's driver here does not know. "
            f"Name the file instead: sslrootcert={_system_file()}."
        )
    if name == "target_session_attrs" and value in ("standby", "read-only", "prefer-standby"):
        return "has a target_session_attrs that leads to a standby, and the bot writes. Write read-write, or remove it."
    if name in CHOICES and value.replace("_", "-" if name == "sslmode" else "_") not in CHOICES[name]:
        return f"has a value of {name} that there is not. Write one of {', '.join(CHOICES[name])}."
    if name == "sslnegotiation" and value == "direct" and given.get("sslmode", "").replace("_", "-") not in ENCRYPTED:
        return "has sslnegotiation=direct without TLS. Add sslmode=require, verify-ca or verify-full, or remove it."
    if name == "port" and not all(map(_is_port, value.split(","))):
        return "has a port that is no number from 1 to 65535. Correct it."
    return ""


def _system_file() -> str:
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.openssl_cafile or "/etc/ssl/certs/ca-certificates.crt"
