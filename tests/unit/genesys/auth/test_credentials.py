"""Test the credentials of the client and their settings: no error shows any part of a key."""

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from bot.config import settings
from bot.config.settings import SettingsError
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.auth.private_keys import KeyCredentials, PrivateKey, load_key
from tests.support.cases import each_case
from tests.support.private_keys import P256, RSA, pem

TOKEN_URL = "https://login.usw2.pure.cloud/oauth/token"
GENESYS = {"GENESYS_REGION": "us-west-2", "GENESYS_CLIENT_ID": "client-1"}
KEYS = {"RS256": RSA, "ES256": P256}
FORMS = [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]


def claims_of(assertion: str, algorithm: str) -> dict[str, object]:
    return jwt.decode(assertion, KEYS[algorithm].public_key(), algorithms=[algorithm], audience=TOKEN_URL)


def credentials(algorithm: str, key_id: str | None = None) -> KeyCredentials:
    return KeyCredentials("client-1", "org-1", load_key(pem(KEYS[algorithm])), "a:b", key_id)


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_assertion_says_who_asks_whom_and_for_how_long(algorithm):
    form, headers = credentials(algorithm).sign(TOKEN_URL)
    assert headers == {}
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    claims = claims_of(form["client_assertion"], algorithm)
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "org_id"}
    assert (claims["iss"], claims["sub"], claims["org_id"]) == ("client-1", "client-1", "org-1")
    assert claims["aud"] == TOKEN_URL
    assert abs(claims["iat"] - time.time()) < 5
    assert 60 <= claims["exp"] - claims["iat"] <= 300


@pytest.mark.parametrize("algorithm", KEYS)
def test_algorithm_follows_the_key_and_the_header_holds_its_id(algorithm):
    plain = jwt.get_unverified_header(credentials(algorithm).sign(TOKEN_URL)[0]["client_assertion"])
    named = jwt.get_unverified_header(credentials(algorithm, "key-7").sign(TOKEN_URL)[0]["client_assertion"])
    assert (plain["alg"], named["alg"]) == (algorithm, algorithm)
    assert "kid" not in plain
    assert named["kid"] == "key-7"


def test_no_assertion_is_used_twice():
    signing = credentials("ES256")
    assertions = [signing.sign(TOKEN_URL)[0]["client_assertion"] for _ in range(50)]
    assert len({claims_of(assertion, "ES256")["jti"] for assertion in assertions}) == 50


@each_case("form", FORMS)
@each_case("algorithm", KEYS)
@each_case("passphrase", ["", "open sesame", "pä$$"])
def test_keys_of_both_forms_load_with_and_without_passphrase(algorithm, passphrase, form):
    loaded = load_key(pem(KEYS[algorithm], passphrase, form), passphrase or None)
    assert loaded.algorithm == algorithm
    assert loaded.key.private_numbers() == KEYS[algorithm].private_numbers()


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\\n"), lambda t: t.strip().replace("\n", "\\n") + "\n"])
def test_a_key_on_one_line_with_escaped_line_breaks_is_read(change):
    assert load_key(change(pem())).key.private_numbers() == P256.private_numbers()


@each_case(
    ("key", "passphrase", "wrong"),
    [
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), None, "1024 bits is too weak"),  # noqa: S505 - that is the point
        (pem(ec.generate_private_key(ec.SECP384R1())), None, "only RSA and P-256"),
        (pem(ec.generate_private_key(ec.SECP256K1())), None, "only RSA and P-256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), None, "only RSA and P-256"),
        (pem(dsa.generate_private_key(1024)), None, "only RSA and P-256"),  # noqa: S505 - a longer one takes half a second
        (pem(passphrase="open sesame"), None, "encrypted"),
        (pem(passphrase="open sesame"), "wrong", "passphrase does not fit"),
        (pem(), "not needed", "takes no passphrase"),
        (pem()[:80], None, "no PEM private key"),
        (pem().replace("PRIVATE", "PUBLIC"), None, "no PEM private key"),
        ("hush-hush", None, "no PEM private key"),
        ("hush-\udc80hush", None, "no PEM private key"),
        ("", None, "no PEM private key"),
    ],
    ids=range(13),  # the same in every process: the keys are not
)
def test_a_key_that_cannot_sign_is_refused_without_showing_it(key, passphrase, wrong):
    with pytest.raises(ValueError, match=wrong) as caught:
        load_key(key, passphrase)
    shown = str(caught.value) + repr(caught.value.__cause__)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not [line for line in (*key.splitlines()[1:-1], passphrase or "hush-") if line in shown]


def test_no_repr_shows_a_key_or_a_secret():
    loaded = load_key(pem())
    assert repr(loaded) == "PrivateKey(algorithm='ES256')"
    assert "object at" not in repr(KeyCredentials("client-1", "org-1", loaded, "a:b"))
    assert "hush" not in repr(SecretCredentials("client-1", "hush-hush"))
    assert isinstance(loaded, PrivateKey)


def test_a_client_secret_goes_into_the_header_and_not_the_form():
    form, headers = SecretCredentials("client-1", "hush:hush-ä").sign(TOKEN_URL)
    assert form == {}
    kind, _, pair = headers["Authorization"].partition(" ")
    assert (kind, base64.b64decode(pair).decode()) == ("Basic", "client-1:hush:hush-ä")


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load_part(settings.read_service_alone, environ)
    return caught.value.faults


def named(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"GENESYS_PRIVATE_KEY_PATH": "/nowhere/key"}, "GENESYS_PRIVATE_KEY_PATH"),
        ({"GENESYS_PRIVATE_KEY_PATH": "~nobody-here/key"}, "GENESYS_PRIVATE_KEY_PATH"),
        ({"GENESYS_PRIVATE_KEY_PATH": "/"}, "GENESYS_PRIVATE_KEY_PATH"),
        ({"GENESYS_PRIVATE_KEY": "hush-hush"}, "GENESYS_PRIVATE_KEY"),
        ({"GENESYS_PRIVATE_KEY": pem(passphrase="hush")}, "GENESYS_PRIVATE_KEY"),
        ({"GENESYS_PRIVATE_KEY": pem(passphrase="hush"), "GENESYS_PRIVATE_KEY_PASSPHRASE": "x"}, "GENESYS_PRIVATE_KEY"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(wrong, name):
    keyless = GENESYS | {"GENESYS_ORG_ID": "org-1"}
    assert named(faults(keyless | wrong)) == {name}


def test_a_key_and_a_client_secret_together_are_refused():
    (line,) = faults(GENESYS | {"GENESYS_CLIENT_SECRET": "x", "GENESYS_PRIVATE_KEY": pem(), "GENESYS_ORG_ID": "o"})
    assert line.startswith("GENESYS_PRIVATE_KEY: ")
    assert "GENESYS_CLIENT_SECRET" in line


@pytest.mark.parametrize("scopes", ["a:b  c:d", "a:b,c:d"])
def test_scopes_are_requested_as_set_and_omitted_when_empty(scopes):
    assert (
        settings.load_part(
            settings.read_service_alone, GENESYS | {"GENESYS_CLIENT_SECRET": "x", "GENESYS_SCOPES": scopes}
        ).credentials.scopes
        == "a:b c:d"
    )
    key = GENESYS | {"GENESYS_PRIVATE_KEY": pem(), "GENESYS_ORG_ID": "o"}
    assert settings.load_part(settings.read_service_alone, key | {"GENESYS_SCOPES": "None"}).credentials.scopes == ""
