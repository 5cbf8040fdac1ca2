"""Check SSL_CERT_FILE and SSL_CERT_DIR, which name the trusted certificate authorities.

If one of these variables has a wrong value, OpenSSL reports no error and trusts no authority.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from bot.config.reader import Reader
from bot.core.validation.text import unquoted

FILE, DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"
_DER = b"\x30"


def check_certificates(reader: Reader) -> None:
    """Add a fault to `reader` for each of SSL_CERT_FILE and SSL_CERT_DIR whose value OpenSSL cannot use."""
    for name, find_fault in ((FILE, _file), (DIRECTORY, _directory)):
        value = reader.environ.get(name, "")
        if not unquoted(value):
            continue
        if unquoted(value) != value:
            reader.fault(
                name, "has quotation marks or spaces around it, which OpenSSL takes for a part. Take them out."
            )
        elif wrong := find_fault(value):
            reader.fault(name, wrong)


def untrusted_certificate_fix(process: Mapping[str, str]) -> str:
    """Return a text for an administrator whose bot does not trust the certificate of a server.

    The text says how to make the bot trust the certificate authority of this server.

    `process`: the environment variables of the process. The text depends on whether SSL_CERT_FILE is set.
    """
    file = process.get(FILE)
    if file:
        return (
            f"{FILE} is set, but no certificate in {file} belongs to the authority that signs it. "
            "Add theirs to that file, such as that of a proxy of your company."
        )
    return (
        f"Set {FILE} to a file with the certificates of the authority that signs it, such as a proxy of your company. "
        "Set it in the environment itself: in .env it does nothing."
    )


def _file(path: str) -> str:
    try:
        held = Path(path).read_bytes()
    except FileNotFoundError:
        return "names a file that is not there. Correct the path; OpenSSL knows no ~."
    except IsADirectoryError:
        return f"names a folder. Name a file, or set {DIRECTORY}."
    except OSError as error:
        return f"names a file that cannot be read ({error.strerror}). Let the bot's user read it."
    if b"-----BEGIN " not in held:
        is_der = held.startswith(_DER)
        convert = (
            "openssl x509 -inform der -in FILE -out FILE.pem" if is_der else "a file that has BEGIN CERTIFICATE in it"
        )
        kind = "a certificate in DER" if is_der else "no certificate"
        return f"names {kind}, and no PEM file. {'Convert it' if is_der else 'Give it'}: {convert}."
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        return "names a file whose certificates cannot be read. Copy them again, each from BEGIN to END."
    return ""


def _directory(path: str) -> str:
    """Return what is wrong with the value of SSL_CERT_DIR; "" if the bot can see at least one of its folders.

    `path`: the value: one or more folders, with the separator of PATH between them.
    """
    if any(os.path.isdir(each) for each in path.split(os.pathsep)):
        return ""
    return "names a folder that is not there, or that the bot may not see. Correct the path, or let the bot's user in."
