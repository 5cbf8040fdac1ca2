"""No log line contains a secret, in text and in JSON, in messages, fields and tracebacks."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import settings
from bot.core.access import Workspace
from bot.observability import logging as logs
from bot.observability.logging import MASK, LineFormatter, Redactor
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responder import new_web_client
from bot.slack.app import new_bolt_app
from tests.support.cases import each_case
from tests.support.log_secrets import AROUND, KNOWN, SECRETS


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, bolt = logging.getLogger(), [logging.getLogger(name) for name in ("slack_bolt", "asyncpg", *logs.NOISY)]
    before = (root.handlers[:], root.level, [each.level for each in bolt])
    yield
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)
    for each, was in zip(bolt, before[2], strict=True):
        each.setLevel(was)
    logging.captureWarnings(False)


def written(as_json: bool, *secrets: str) -> tuple[io.StringIO, logging.Logger]:
    stream = io.StringIO()
    logs.set_up("DEBUG", as_json=as_json, secrets=secrets or KNOWN, stream=stream)
    return stream, logging.getLogger("bot.test")


@each_case("as_json", [False, True], ids=["text", "json"])
@each_case(("text", "hidden"), SECRETS, ids=[text[:24] for text, _ in SECRETS])
def test_secret_is_masked_in_messages_fields_and_tracebacks(text, hidden, as_json):
    for around in AROUND:
        stream, log = written(as_json)
        said = around.format(text)
        log.warning(said.replace("%", "%%"))
        log.info("an argument: %s", said)
        log.info("fields", extra={"fields": {"plain": said, "nested": {"list": [said]}}})
        try:
            raise ValueError(said) from LookupError(said)
        except ValueError:
            log.exception("a traceback")
        assert hidden not in stream.getvalue(), around
        assert MASK in stream.getvalue()


@each_case("text", [text for text, _ in SECRETS])
def test_json_line_with_a_secret_is_still_one_json_object(text):
    for around in AROUND:
        stream, log = written(True)
        try:
            raise ValueError(around.format(text))
        except ValueError:
            log.exception("it was %s", around.format(text), extra={"fields": {"f": around.format(text)}})
        (line,) = stream.getvalue().splitlines()
        assert set(json.loads(line)) == {"at", "level", "logger", "message", "f", "traceback"}


@given(st.text() | st.lists(st.sampled_from([*AROUND, *(text for text, _ in SECRETS)])).map("".join))
def test_whatever_is_logged_a_json_line_is_one_json_object(text):
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%s", (text,), None)
    record.fields = {"f": text, "n": 1, "none": None, "odd": {text, 1}}
    line = LineFormatter(Redactor(KNOWN), as_json=True).format(record)
    assert "\n" not in line
    assert json.loads(line)["n"] == 1


def slowly(text: str) -> str:
    """Apply every pattern to the whole text, without the quick test."""
    for pattern, mask in logs._RULES:
        text = pattern.sub(mask, text)
    return text


PIECES = [
    "a@b.c",
    "@b.c",
    "xox",
    "xapp",
    "b-",
    ".",
    "-1-ab",
    "eyJ",
    "a.b",
    "bearer",
    "BaSiC",
    "ba\u017fic",
    " ",
    "=" * 7,
    "@",
    "a",
    "\n",
]
PIECES += ["-----BEGIN ", "PRIVATE KEY-----", "-----END ", "http", "WSS", "s", "://", ":", "/", "?", "'", "\u212a"]


@given(st.lists(st.sampled_from(PIECES) | st.sampled_from([text for text, _ in SECRETS]), max_size=6).map("".join))
def test_whatever_the_patterns_mask_is_masked_the_quick_way_too(text):
    assert Redactor()(text) == slowly(text)


TEXTS = st.lists(st.sampled_from([*PIECES, "\u0130", "\u03a3"]), max_size=6).map("".join)


@given(TEXTS, TEXTS.filter(lambda text: len(text) >= logs.MIN_SECRET_LENGTH), TEXTS)
def test_known_secret_is_found_whatever_it_consists_of(before, secret, after):
    assert not Redactor([secret]).is_harmless(before + secret + after)


def test_a_secret_after_a_line_break_is_masked_too():
    for as_json in (False, True):
        stream, log = written(as_json)
        log.info("first\nxoxb-1-abcDEF\nBearer abcDEF123\nhttps://h.example/abcDEF")
        assert "abcDEF" not in stream.getvalue()
        assert len(stream.getvalue().splitlines()) == 1


def test_every_known_secret_is_masked_even_as_anothers_prefix():
    assert Redactor(KNOWN)("a known-hush-1-and-longer b known-hush-1") == f"a {MASK} b {MASK}"
    assert Redactor(["a.c+def"])("a.c+def abc+def") == f"{MASK} abc+def"


def test_short_secret_does_not_mask_every_word():
    assert Redactor(["", "in", "ab"])("ab in the cabin") == "ab in the cabin"
    assert Redactor()("https://api.example.com is up, 2026-01-01T00:00:00Z, U0ANA") == (
        "https://api.example.com is up, 2026-01-01T00:00:00Z, U0ANA"
    )


@pytest.mark.parametrize("text", ["Basic Information, App Credentials.", "basic authentication", "Basic Information."])
def test_plain_word_after_basic_is_not_masked(text):
    assert Redactor()(f"See {text}") == f"See {text}"


@pytest.mark.parametrize("secret", ["dXNlcjpwYXNz", "YWJjREVGOg==", "abcdefg=", "ABCDEFGH", "abcdef1", "Abc.defgh"])
def test_credentials_after_basic_are_masked(secret):
    assert Redactor()(f"Basic {secret} x") == f"{MASK} x"


def test_of_an_address_the_host_stays_to_be_read():
    assert Redactor()("see https://api.example.com:8443/a/b?c=d now") == f"see https://api.example.com:8443/{MASK} now"


def test_a_line_of_text_says_when_how_bad_where_and_what():
    stream, log = written(False)
    log.warning("answered", extra={"fields": {"request": "r1", "name": "two words", "empty": "", "n": 3}})
    at, level, name, rest = stream.getvalue().rstrip("\n").split(" ", 3)
    assert at.endswith("Z")
    assert at[10] == "T"
    assert (level, name) == ("WARNING", "bot.test")
    assert rest == 'answered request=r1 name="two words" empty="" n=3'


def test_a_line_of_json_holds_the_same():
    stream, log = written(True)
    log.warning("answered", extra={"fields": {"request": "r1", "n": 3}})
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {"level": "WARNING", "logger": "bot.test", "message": "answered", "request": "r1", "n": 3}


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x85", "\u2028"])
def test_a_line_break_cannot_forge_a_line(line_break):
    stream, log = written(False)
    log.info("one%s2026-01-01T00:00:00.000Z INFO forged", line_break, extra={"fields": {"f": f"x{line_break}y"}})
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["httpx", "httpcore.http11", "aiohttp.access", "slack_sdk.web", "slack_bolt.x", "asyncio"]
)
def test_the_libraries_stay_quiet_whatever_the_level(name):
    stream, log = written(False)
    logging.getLogger(name).info("a body")
    logging.getLogger(name).debug("a body")
    assert stream.getvalue() == ""
    logging.getLogger(name).error("trouble")
    log.debug("ours")
    assert len(stream.getvalue().splitlines()) == 2


def test_unavailable_postgres_is_logged_without_tracebacks():
    stream, _ = written(False)
    logging.getLogger("asyncpg.pool").warning("Failed to restore the pool", exc_info=OSError())
    assert stream.getvalue() == ""


def test_libraries_are_as_quiet_as_the_bots_level():
    stream = io.StringIO()
    logs.set_up("ERROR", as_json=False, stream=stream)
    logging.getLogger("httpx").warning("trouble")
    logging.getLogger("bot").warning("trouble")
    assert stream.getvalue() == ""


async def test_bolts_loggers_stay_quiet_when_the_app_is_made_at_debug():
    stream, _ = written(False)
    loaded = settings.load(
        {"SLACK_BOT_TOKEN": "xoxb-1-hush", "SLACK_SIGNING_SECRET": "sign-hush", "GENESYS_REGION": "us-west-2"}
        | {"GENESYS_CLIENT_ID": "c", "GENESYS_CLIENT_SECRET": "hush-hush"}
    )
    web = new_web_client(None, loaded.slack.api_url, None)
    bolt = new_bolt_app(BotIdentity(Workspace("T0HOME"), "B0BOT", "U0BOT"), lambda: loaded.slack.bot_token, web)

    @bolt.command("/cobrowse")
    async def listener(ack) -> None:
        await ack()

    ours = ("slack_bolt", "cobrowse-bot:listener")
    named = [name for name in logging.root.manager.loggerDict if name.startswith(ours)]
    loud = [name for name in named if logging.getLogger(name).getEffectiveLevel() < logging.WARNING]
    assert [bolt.logger.getEffectiveLevel() >= logging.WARNING, loud] == [True, []]
    assert stream.getvalue() == ""


def test_setting_up_twice_writes_each_line_once():
    first, _ = written(False)
    second, log = written(False)
    log.info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_a_warning_of_python_is_a_redacted_line_too():
    stream, _ = written(False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("xoxb-1-abcDEF", stacklevel=1)
    assert MASK in stream.getvalue()
    assert "abcDEF" not in stream.getvalue()
