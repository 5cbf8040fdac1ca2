"""Authenticate an OAuth client to Genesys's login with an assertion that the client's private key signs.

See RFC 7523 section 2.2. This module is separate from credentials.py, so that a bot with a client secret does not load
the signing libraries.
"""

import time
import uuid
from dataclasses import dataclass, field

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.genesys.auth.key_forms import NO_PEM, Unusable, convert_file, convert_text

ASSERTION_SECONDS = 240
MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key, and the JWT algorithm of its signatures."""

    algorithm: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)


def load_key(given: str | bytes, passphrase: str | None = None) -> PrivateKey:
    """Read a private key: an RSA key of MIN_RSA_BITS bits or more, or a P-256 key.

    - `given`: the key in PEM, as a text or as the bytes of a file. The text may lack line breaks, or be only
      the base64 without the lines BEGIN and END.
    - `passphrase`: the passphrase of an encrypted key; None for a key that is not encrypted.

    Raises ValueError for any other key or text, and if the passphrase is missing, wrong or not needed. The error's
    message quotes no part of the key, and does not end with a full stop.
    """
    text = given if isinstance(given, str) else convert_file(given)
    if isinstance(text, Unusable):
        raise ValueError(text.why)
    on_one_line = "\\n" in text and "\n" not in text.strip()  # environment files contain escaped line breaks
    key = _load(text.replace("\\n", "\n") if on_one_line else text, passphrase)
    if key is None:
        form = convert_text(text)
        key = _load(form, passphrase) if isinstance(form, str) else None
        if key is None:
            why = form.why if isinstance(form, Unusable) else NO_PEM
            raise ValueError(
                f"the passphrase does not fit, or this is {NO_PEM}" if passphrase and why == NO_PEM else why
            )
    return _signing_key(key)


def _load(pem: str, passphrase: str | None) -> PrivateKeyTypes | None:
    """Read a private key from a PEM text. Return None if the text is malformed, or if the passphrase is wrong.

    Raises ValueError if the key is encrypted and there is no passphrase, or if a passphrase is given for a key that is
    not encrypted.
    """
    try:
        return load_pem_private_key(pem.encode(), passphrase.encode() if passphrase else None)
    except TypeError:
        wrong = "the key takes no passphrase" if passphrase else "the key is encrypted, and there is no passphrase"
        raise ValueError(wrong) from None
    except (ValueError, UnsupportedAlgorithm):
        return None


def _signing_key(key: PrivateKeyTypes) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise ValueError(f"an RSA key of {key.key_size} bits is too weak; take {MIN_RSA_BITS} or more")
        return PrivateKey("RS256", key)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return PrivateKey("ES256", key)
    raise ValueError("only RSA and P-256 keys can sign here")


@dataclass(frozen=True, slots=True)
class KeyCredentials:
    """Credentials of an OAuth client with a private key.

    - `scopes`: the scopes to request, separated by spaces; "" to request none.
    - `key_id`: the value of the assertion's header `kid`; None to leave the header out.
    """

    client_id: str
    org_id: str
    key: PrivateKey
    scopes: str
    key_id: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()

    def sign(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": token_url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
            "org_id": self.org_id,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        assertion = jwt.encode(claims, self.key.key, algorithm=self.key.algorithm, headers=headers)
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }, {}
