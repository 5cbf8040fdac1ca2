"""Create a key pair for an OAuth client."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.cli.setup.env_file import create_private

KEY_FILE = "genesys.pem"
RSA, P256 = "rsa", "p256"
RSA_BITS = 3072
WHERE_PUBLIC = "Send this public key to the people who run the session service."


def make_key_pair(path: Path, kind: str = RSA) -> str:
    """Create a key pair. Write the private key to a new file with mode 0600, and return the public key as PEM text.

    `kind`: the constant RSA or P256. Raises OSError if the file cannot be created.
    """
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        rsa.generate_private_key(65537, RSA_BITS) if kind == RSA else ec.generate_private_key(ec.SECP256R1())
    )
    create_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
