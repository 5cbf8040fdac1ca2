"""Convert the text of a private key to PEM (pure). The text may lack line breaks, or contain only base64.

For a text that cannot be converted, the functions return an Unusable with the reason.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from bot.core.validation.text import is_base64, straight

NO_PEM = "no PEM private key"
AS_FILE = "Give it as a file, in GENESYS_PRIVATE_KEY_PATH, or write each line break as \\n"
_HEAD = re.compile(r"-{2,}\s*BEGIN ([A-Z0-9 ]+?)\s*-{2,}")
_END = re.compile(r"-{2,}\s*END [A-Z0-9 ]+?\s*-{2,}.*", re.DOTALL)
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_PKCS8, _PKCS8_ENCRYPTED, _PKCS1, _SEC1 = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"
OTHER_LABELS = {
    "OPENSSH PRIVATE KEY": (
        "an OpenSSH key. Convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY, with an empty passphrase"
    ),
    "CERTIFICATE REQUEST": "a certificate request. Give the private key that was made with it",
    "NEW CERTIFICATE REQUEST": "a certificate request. Give the private key that was made with it",
    "CERTIFICATE": "a certificate. Give the private key that was made with it",
    "TRUSTED CERTIFICATE": "a certificate. Give the private key that was made with it",
    "PKCS7": "a bundle of certificates. Give the private key that was made with them",
    "PUBLIC KEY": "a public key. Give the private one: openssl pkey -in KEY shows which a file holds",
    "RSA PUBLIC KEY": "a public key. Give the private one: openssl pkey -in KEY shows which a file holds",
    "SSH2 PUBLIC KEY": "a public key. Give the private one",
    "PGP PRIVATE KEY BLOCK": "a PGP key. Make one for this: openssl genrsa -out key.pem 2048",
}
_PUTTY = "a PuTTY key. Convert it: puttygen KEY.ppk -O private-openssh -o key.pem"
_JWK = "a JSON Web Key. Convert it to PEM with the tool that made it"
_SSH_PUBLIC = "a public key of SSH. Give the private one, as PEM"
_P12 = "a PKCS#12 bundle. Take the key out of it: openssl pkcs12 -in KEY.p12 -nocerts -nodes -out key.pem"
_DER = "a key in DER. Convert it: openssl pkey -inform der -in KEY.der -out key.pem"


@dataclass(frozen=True, slots=True)
class Unusable:
    """The reason why a text cannot be converted to a private key in PEM.

    `why`: what the text is and what to do. It contains no part of the text, and does not end with a full stop.
    """

    why: str = NO_PEM


def convert_text(text: str) -> str | Unusable:
    """Convert the text of a private key to PEM. Return an Unusable if the text cannot be converted."""
    text = straight(_with_line_breaks(text)).strip()
    if other := _other_kind(text):
        return Unusable(f"{NO_PEM}, but {other}")
    head = _HEAD.search(text)
    if head:
        return _labelled(head[1], _END.sub("", text[head.end() :]), has_end=bool(_END.search(text[head.end() :])))
    data = _decoded(text)
    if data.startswith(b"-") and b"BEGIN " in data[:40]:
        return convert_text(data.decode(errors="replace"))
    return _pem(data) if _label(data) else Unusable(f"{NO_PEM}{_about_binary(data, in_base64=True)}")


def convert_file(data: bytes) -> str | Unusable:
    """Decode the bytes of a private key's file to text. The text may still need `convert_text` to become PEM.

    Return an Unusable for a key in DER, and for bytes that are not UTF-8 text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return Unusable(f"{NO_PEM}: the file is UTF-16 text. Save it as UTF-8")
        return Unusable(f"{NO_PEM}{_about_binary(data) or ': the file is not UTF-8 text'}")
    return Unusable(f"{NO_PEM}, but {_DER}") if _label(data) else text


def _with_line_breaks(text: str) -> str:
    r"""Replace each escaped line break, such as `\n`, `\\n` or `\r\n`, by a line break."""
    return re.sub(r"\\+r", "", re.sub(r"(?:\\+r)?\\+n", "\n", text))


def _other_kind(text: str) -> str:
    if text.startswith("PuTTY-User-Key-File"):
        return _PUTTY
    if text.startswith("{") and '"kty"' in text:
        return _JWK
    if text.startswith(("ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-")):
        return _SSH_PUBLIC
    labels = [match[1] for match in _HEAD.finditer(text)]
    if any(label in (_PKCS8, _PKCS8_ENCRYPTED, _PKCS1, _SEC1) for label in labels):
        return ""
    return next((OTHER_LABELS[label] for label in labels if label in OTHER_LABELS), "")


def _labelled(label: str, body: str, *, has_end: bool) -> str | Unusable:
    """Convert the base64 text of a key to PEM. Return an Unusable if the text cannot be converted.

    - `label`: the label in the key's BEGIN line.
    - `body`: the text between the BEGIN line and the END line.
    - `has_end`: whether the key has an END line.
    """
    if not body.strip():
        return Unusable(f"{NO_PEM}: its line breaks were lost, and only its first line arrived. {AS_FILE}")
    data = _decoded(body)
    actual = _label(data)
    if not actual:
        cut = "it is damaged or cut off" if has_end else "its END line is missing, and so is some of it"
        return Unusable(f"{NO_PEM}: {cut}. Copy it again, from BEGIN to END. {AS_FILE}")
    if actual != label and label in (_PKCS1, _SEC1):
        kind = "PKCS#8" if actual in (_PKCS8, _PKCS8_ENCRYPTED) else actual
        convert = f"sed 's/{label}/{actual}/' KEY > key.pem"
        return Unusable(f"{NO_PEM}, but a {kind} key labelled {label}. Correct its first and last line: {convert}")
    return _pem(data)


def _decoded(text: str) -> bytes:
    """Decode base64, standard or URL-safe, with or without padding. Return b"" for any other text."""
    letters = "".join(text.split()).replace("-", "+").replace("_", "/")
    if not is_base64(letters):
        return b""
    try:
        return base64.b64decode(letters.rstrip("=") + "=" * (-len(letters.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        return b""


def _label(der: bytes) -> str:
    """Return the PEM label of a private key in DER, such as `RSA PRIVATE KEY`; "" for other data."""
    if not _is_whole(der):
        return ""
    inner = der[len(der) - _length(der)[0] :]
    if inner[:2] == b"\x02\x01":  # the first field is a version
        version, following = inner[2], inner[3:4]
        if version == 1 and following == bytes([_OCTETS]):
            return _SEC1
        if version in (0, 1) and following == bytes([_SEQUENCE]):
            return _PKCS8
        return _PKCS1 if version == 0 and following == bytes([_INTEGER]) else ""
    # EncryptedPrivateKeyInfo is a PKCS#5 algorithm and the encrypted key.
    return _PKCS8_ENCRYPTED if b"\x2a\x86\x48\x86\xf7\x0d\x01\x05" in inner[:24] else ""


def _is_whole(der: bytes) -> bool:
    if len(der) < 40 or der[0] != _SEQUENCE:
        return False
    length, head = _length(der)
    return length + head == len(der)


def _length(der: bytes) -> tuple[int, int]:
    """Return two lengths in bytes: of the content, and of the header in front of it. `der`: a DER sequence."""
    if der[1] < 0x80:
        return der[1], 2
    count = der[1] & 0x7F
    return int.from_bytes(der[2 : 2 + count], "big"), 2 + count


def _about_binary(data: bytes, *, in_base64: bool = False) -> str:
    if _label(data):
        return f", but {_DER}"
    if _is_whole(data) and b"\x02\x01\x03" in data[:8]:
        return f", but {_P12}"
    if _is_whole(data):
        return ", but a certificate or public key in DER. Give the private key, as PEM"
    return "; it is base64 of something else. Give the text of the key's file" if in_base64 and data else ""


def _pem(der: bytes) -> str:
    label = _label(der)
    lines = re.findall(".{1,64}", base64.b64encode(der).decode())
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))
