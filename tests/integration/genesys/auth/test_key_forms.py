"""Test private keys in the forms people paste: an unambiguous form loads, any other is named with the fix."""

import base64
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from bot.genesys.auth.private_keys import load_key
from tests.support.cases import each_case
from tests.support.private_keys import P256, RSA, pem
from tests.support.settings import DEAD, said_by_check, said_by_run, without

OLD = PrivateFormat.TraditionalOpenSSL
KEYED = without(DEAD, "GENESYS_CLIENT_SECRET") | {"GENESYS_ORG_ID": "org-1"}


def body(text: str) -> str:
    return "".join(text.splitlines()[1:-1])


def der(key=P256, form=PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.DER, form, NoEncryption())


READ = {
    "escaped twice": pem().replace("\n", "\\\\n"),
    "escaped with CR": pem().replace("\n", "\\r\\n"),
    "base64 of the PEM": base64.b64encode(pem().encode()).decode(),
    "base64 in several lines": base64.encodebytes(pem(RSA).encode()).decode(),
    "body alone": body(pem()),
    "body of PKCS#1": body(pem(RSA, form=OLD)),
    "body of SEC1": body(pem(form=OLD)),
    "no END line": pem().rpartition("-----END")[0],
    "em dashes": pem().replace("-----", "—–"),
    "invisible letters": pem().replace("\n", "\u200b\n"),
    "quoted": f'"{pem()}"',
    "breaks that are spaces": pem().replace("\n", " "),
}
GIVEN = {
    "first line alone": ("-----BEGIN PRIVATE KEY-----", "line breaks were lost"),
    "base64 of another thing": (base64.b64encode(b"no key, but some text " * 9).decode(), "base64 of something else"),
    "cut off": (pem()[:90], "END line is missing"),
    "OpenSSH": (
        P256.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        "ssh-keygen -p -m PKCS8",
    ),
    "PKCS#8 labelled RSA": (pem(RSA).replace("PRIVATE KEY", "RSA PRIVATE KEY"), "PKCS#8 key labelled RSA PRIVATE KEY"),
    "PKCS#8 labelled EC": (pem().replace("PRIVATE KEY", "EC PRIVATE KEY"), "sed 's/EC PRIVATE KEY/PRIVATE KEY/'"),
    "public": (
        P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "but a public key",
    ),
    "certificate": ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "but a certificate"),
    "request": (
        "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
        "certificate request",
    ),
    "PuTTY": ("PuTTY-User-Key-File-3: ssh-rsa\n", "puttygen"),
    "JWK": ('{"kty":"EC"}', "JSON Web Key"),
    "SSH": ("ssh-rsa AAAAB3Nza", "public key of SSH"),
}
FILES = {
    "DER of PKCS#8": (der(), "openssl pkey -inform der"),
    "DER of PKCS#1": (der(RSA, OLD), "openssl pkey -inform der"),
    "DER of SEC1": (der(form=OLD), "openssl pkey -inform der"),
    "DER with a passphrase": (
        P256.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        "openssl pkey -inform der",
    ),
    "PKCS#12": (
        pkcs12.serialize_key_and_certificates(b"x", P256, None, None, BestAvailableEncryption(b"x")),
        "openssl pkcs12 -in",
    ),
    "UTF-16": (pem().encode("utf-16"), "UTF-16"),
    "noise": (b"\x89PNG\xff\xfe" * 9, "not UTF-8 text"),
}


@each_case("form", READ)
def test_key_in_another_form_is_read_where_it_is_certain(form: str) -> None:
    key = RSA if form in ("base64 in several lines", "body of PKCS#1") else P256
    text = READ[form]
    assert load_key(text[1:-1] if form == "quoted" else text).key.private_numbers() == key.private_numbers()
    error, sentence = said_by_check(KEYED | {"GENESYS_PRIVATE_KEY": text}, name="key")
    assert (error, sentence[:4]) == (False, "RSA " if key is RSA else "P-25")


def test_a_key_with_a_passphrase_is_read_in_another_form_too() -> None:
    for text in (body(pem(passphrase="x")), base64.b64encode(pem(passphrase="x").encode()).decode()):
        assert load_key(text, "x").algorithm == "ES256"


@pytest.mark.parametrize("form", GIVEN)
def test_an_unusable_key_is_named_with_the_fix_by_run_and_check(form: str, tmp_path: Path) -> None:
    text, told = GIVEN[form]
    environ = KEYED | {"GENESYS_PRIVATE_KEY": text}
    assert told in said_by_run(environ)
    assert told in said_by_check(environ, name="key")[1]
    (tmp_path / "key").write_text(text)
    for name in ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_FILE"):
        assert told in said_by_run(KEYED | {name: str(tmp_path / "key")})
    assert not [line for line in text.splitlines()[1:-1] if line in said_by_run(environ)]


@pytest.mark.parametrize("form", FILES)
def test_a_key_file_that_is_no_text_is_named_with_the_way_out(form: str, tmp_path: Path) -> None:
    held, told = FILES[form]
    (tmp_path / "key").write_bytes(held)
    for name in ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_FILE"):
        environ = KEYED | {name: str(tmp_path / "key")}
        assert f"{name}: no PEM private key" in said_by_run(environ)
        assert told in said_by_run(environ)
        assert told in said_by_check(environ, name="key")[1]


def test_commands_that_convert_a_key_do_convert_it(tmp_path: Path) -> None:
    """Each command is run exactly as the sentence writes it."""
    (tmp_path / "KEY.der").write_bytes(der(RSA))
    (tmp_path / "KEY").write_text(pem().replace("PRIVATE KEY", "EC PRIVATE KEY"))
    for command in (
        "openssl pkey -inform der -in KEY.der -out key.pem",
        "sed 's/EC PRIVATE KEY/PRIVATE KEY/' KEY > key.pem",
    ):
        subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True)  # noqa: S602 - ours
        assert load_key((tmp_path / "key.pem").read_bytes())


def test_real_line_breaks_in_an_env_file_are_told_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dotenv keeps only the first line, and reports the others without the file's name."""
    from bot.cli.commands import main

    monkeypatch.chdir(tmp_path)
    lines = pem(RSA).splitlines()
    assert any("+" in line or "/" in line for line in lines)
    values = "\n".join(f"{name}={value}" for name, value in KEYED.items())
    (tmp_path / ".env").write_text(f"{values}\nGENESYS_PRIVATE_KEY={pem(RSA)}")
    result = CliRunner().invoke(main, ["check"], env=dict.fromkeys(KEYED))
    assert result.exit_code == 1
    words = " ".join(result.output.split())
    assert "its line breaks were lost, and only its first line arrived" in words
    assert ".env: line " in words
    assert "could not parse" not in words
    assert not [line for line in lines[1:-1] if line in words]
