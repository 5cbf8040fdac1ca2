"""Customers' addresses: what is accepted, what is refused, and which part of an address may be in a log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.config import settings
from bot.core.errors import SendRejectedError
from bot.core.models import HostId, RequestId, RequestKind, Session, SessionId, SessionRecord, TeamId, UserId
from bot.core.results import SendPreview
from bot.core.use_cases.customer_messages import pack, unpack
from bot.core.validation.contact import ContactAddress, ContactChannel, read_address
from bot.genesys.api.customer_messages import without_addresses
from bot.slack.command_parser import Query, Start, parse
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.customer_message import question
from tests.support.cases import each_case
from tests.support.settings import FERNET, SOCKET


@pytest.mark.parametrize(
    ("typed", "text", "country", "masked"),
    [
        ("+1 (415) 555-0123", "+14155550123", "US", "…0123"),
        ("  +49 170 1234567 ", "+491701234567", "DE", "…4567"),
        ("＋４９ 170 1234567", "+491701234567", "DE", "…4567"),
        ("Carla.C@Example.com", "Carla.C@example.com", "", "…@example.com"),
        ("carla@exämple.com", "carla@xn--exmple-cua.com", "", "…@xn--exmple-cua.com"),
    ],
)
def test_an_address_is_kept_in_the_one_form_that_machines_write(
    typed: str, text: str, country: str, masked: str
) -> None:
    address = read_address(typed)
    assert (address.text, address.country, address.masked) == (text, country, masked)
    assert address.text not in repr(address)


@each_case(
    ("typed", "why"),
    [
        ("", "none"),
        ("hello", "neither"),
        ("to +14155550123", "neither"),
        ("(0170) 1234567", "country"),
        ("0170 1234567", "country"),
        ("+1", "number"),
        ("+1 415 555", "number"),
        ("+14155550123 ext. 5", "number"),
        ("+999 123456789", "number"),
        ("+1 800 555 0123", "sms"),
        ("+1 900 555 0123", "sms"),
        ("+44 20 7946 0000", "sms"),
        ("+44 70 1234 5678", "sms"),
        ("carla@", "email"),
        ("to carla@example.com please", "email"),
        ("@example.com", "email"),
        ("carla@example", "email"),
        ("carla@[127.0.0.1]", "email"),
        ("Carla <carla@example.com>", "email"),
        ("a@example.com,b@example.com", "email"),
        ("carla@example.com\nBcc: all@example.com", "email"),
        (f"{'c' * 300}@example.com", "email"),
    ],
)
def test_unusable_address_is_refused_by_its_reason(typed: str, why: str) -> None:
    with pytest.raises(SendRejectedError, match=r"^invalid_address$") as refused:
        read_address(typed)
    assert refused.value.detail == why


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("send +1 (415) 555-0123", "+14155550123"),
        ("send <tel:+14155550123|+1 415 555 0123>", "+14155550123"),
        ("SEND <mailto:carla@example.com|carla@example.com>", "carla@example.com"),
        ("send carla@example.com", "carla@example.com"),
        ("send 415 555 0123", "415 555 0123"),
    ],
)
def test_send_takes_a_number_or_an_email_address(text: str, address: str) -> None:
    assert parse(text) == Query(RequestKind.PROPOSE, argument=pack("", address))
    assert unpack(pack("", address)) == ("", address, "")
    assert unpack(pack("s-1", address, "pt_BR")) == ("s-1", address, "pt_BR")


@pytest.mark.parametrize(
    ("text", "countries", "number"),
    [
        ("415 555 0123", ("US",), "+14155550123"),
        ("(415) 555-0123", ("US", "DE"), "+14155550123"),
        ("0171 1234567", ("US", "DE"), "+491711234567"),
    ],
)
def test_number_without_a_plus_is_read_where_one_country_fits(text: str, countries: Sequence[str], number: str) -> None:
    assert read_address(text, countries).text == number


@pytest.mark.parametrize(("text", "countries"), [("415 555 0123", ()), ("415 555 0123", ("FR",)), ("123", ("US",))])
def test_number_without_a_plus_that_fits_no_country_is_refused(text: str, countries: Sequence[str]) -> None:
    with pytest.raises(SendRejectedError, match="invalid_address") as refused:
        read_address(text, countries)
    assert refused.value.detail == "country"


@pytest.mark.parametrize("text", ["send the forms", "send 3 forms to Carla", "Send 2 pages"])
def test_a_name_that_begins_with_send_is_a_name(text: str) -> None:
    assert isinstance(parse(text), Start)


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"COBROWSE_SMS_FROM": "+14155550100"}, "COBROWSE_SMS_COUNTRIES: is missing"),
        ({"COBROWSE_SMS_FROM": "+14155550100", "COBROWSE_SMS_COUNTRIES": "US"}, "STORE_ENCRYPTION_KEY: is missing"),
        ({"COBROWSE_SMS_COUNTRIES": "US, XX"}, "COBROWSE_SMS_COUNTRIES: XX is no"),
        ({"COBROWSE_SMS_FROM": "us", "COBROWSE_SMS_COUNTRIES": "US"}, "COBROWSE_SMS_FROM: must be a number"),
        ({"COBROWSE_EMAIL_FROM": "care"}, "COBROWSE_EMAIL_FROM: must be an email address"),
        ({"COBROWSE_SMS_TEXT": "Hello"}, "COBROWSE_SMS_TEXT: must hold {joinUrl}"),
        ({"COBROWSE_EMAIL_TEXT": "{joinUrl}{joinUrl}"}, "COBROWSE_EMAIL_TEXT: must hold {joinUrl}"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_at_the_start(environ: dict[str, str], fault: str) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.load(SOCKET | environ)
    assert fault in str(refused.value)


def test_nothing_is_sent_unless_a_sender_is_set() -> None:
    assert not settings.load(SOCKET).sending.any_on
    sms = {"COBROWSE_SMS_FROM": "+14155550100", "COBROWSE_SMS_COUNTRIES": "us gb", "STORE_ENCRYPTION_KEY": FERNET}
    loaded = settings.load(SOCKET | sms).sending
    assert loaded.is_on(ContactChannel.SMS)
    assert not loaded.is_on(ContactChannel.EMAIL)
    assert loaded.sms_countries == {"US", "GB"}


def test_question_shows_what_would_be_sent_and_escapes_it() -> None:
    session = Session(
        id=SessionId("s-1"),
        status="open",
        host_id=HostId("h"),
        name="<b>",
        ends_at=datetime.now(UTC) + timedelta(hours=1),
        join_url="https://example.com/1",
    )
    record = SessionRecord(
        session=session, team_id=TeamId("T1"), requester=UserId("U1"), agent=UserId("U1"), is_over=False
    )
    preview = SendPreview((record,), ContactAddress(ContactChannel.EMAIL, "a&b@example.com"))
    message = question(preview, RequestId("abc"), ENGLISH)
    asked, row = message.blocks
    assert "“&lt;b&gt;” to *a&amp;b@example.com*?" in asked["text"]["text"]
    assert row["elements"][0]["value"] == "abc s-1 a&b@example.com"
    assert "@" not in message.text


def test_genesys_own_words_do_not_bring_the_address_back() -> None:
    words = "The address +14155550123 of carla@example.com is not provisioned (1 415 555 0123), code 400."
    assert without_addresses(words) == "The address … of … is not provisioned (…), code 400."
