"""Make a private certificate authority for one test, and servers with its certificates or with self-signed ones."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A certificate authority. `trusted` is the file to put into SSL_CERT_FILE."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    trusted: Path
    directory: Path

    def vouch(self, *names: str) -> ssl.SSLContext:
        """Return the server's TLS context with a certificate for these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(names[0], key, self.certificate.subject, self.key, names)
        return _server(self.directory, f"{names[0]}.pem", key, certificate)


def new_authority(directory: Path) -> Authority:
    """Make a certificate authority that nobody trusts yet."""
    directory.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed("The test's authority", key, None, key, ())
    trusted = directory / "authority.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate, trusted, directory)


def self_signed(directory: Path, *names: str) -> ssl.SSLContext:
    """Return the server's TLS context with a self-signed certificate for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _server(directory, f"self-{names[0]}.pem", key, _signed(names[0], key, None, key, names))


def _signed(
    common: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    signer: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
) -> x509.Certificate:
    """Make a certificate: for an authority if `names` is empty, else for a server with these names."""
    subject, now = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)]),
        datetime.datetime.now(datetime.UTC),
    )
    builder = x509.CertificateBuilder(issuer or subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
    return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _server(
    directory: Path, file: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> ssl.SSLContext:
    plain = serialization.NoEncryption()
    hidden = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = directory / file
    path.write_bytes(hidden + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
