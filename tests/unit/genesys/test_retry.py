"""Test the classification of failed calls: their errors and retry rules. test_retry_policy.py tests the delays."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import aiohttp
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import errors
from bot.genesys import parsing, retry
from bot.genesys.retry import RetryRule
from tests.support.cases import each_case

KEY = SimpleNamespace(host="h", port=1, ssl=False, is_ssl=False)


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@each_case(
    ("status", "error", "repeat"),
    [
        (301, errors.UnusableAnswerError, RetryRule.NEVER),
        (304, errors.UnusableAnswerError, RetryRule.NEVER),
        (307, errors.UnusableAnswerError, RetryRule.NEVER),
        (400, errors.BadRequestError, RetryRule.NEVER),
        (401, errors.TokenRefusedError, RetryRule.NEVER),
        (403, errors.PermissionMissingError, RetryRule.NEVER),
        (404, errors.BadRequestError, RetryRule.NEVER),
        (408, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
        (409, errors.BadRequestError, RetryRule.NEVER),
        (429, errors.ServiceBusyError, RetryRule.RETRY_AFTER),
        (500, errors.ServiceFailedError, RetryRule.SERVER_ERROR),
        (502, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
        (503, errors.ServiceBusyError, RetryRule.RETRY_AFTER),
        (504, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
        (520, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
    ],
)
def test_every_answer_has_its_name_its_rule_and_its_reference(status, error, repeat):
    fault = retry.error_from_response(answer(status, {"message": "m"}, ININ_Correlation_Id="corr-7"), needs="a:b")
    assert fault is not None
    assert (type(fault.error), fault.rule, fault.error.reference) == (error, repeat, "corr-7")


@pytest.mark.parametrize("status", [429, 503])
def test_only_an_answer_that_says_it_did_not_act_orders_a_wait(status):
    assert retry.error_from_response(answer(status, Retry_After="7"), needs="").retry_after == 7
    assert retry.error_from_response(answer(500, Retry_After="7"), needs="").retry_after is None


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_no_fault(status):
    assert retry.error_from_response(answer(status), needs="a:b") is None


def test_a_403_names_the_permission_and_a_400_the_message():
    assert retry.error_from_response(answer(403), needs="a:b").error.needs == "a:b"
    refused = retry.error_from_response(answer(400, {"message": " no\n <b> " + "x" * 400}), needs="").error
    assert (refused.status, len(refused.words), refused.words[:10]) == (400, 300, "no <b> xxx")
    assert retry.error_from_response(answer(422, {"code": "bad.name"}), needs="").error.words == "bad.name"
    for junk in (httpx.Response(400, content=b"\xff{"), answer(400, ["x"]), answer(400, {"message": None})):
        assert retry.error_from_response(junk, needs="").error.words == "Bad Request"


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        (answer(400, {"contextId": "ctx-1"}, ININ_Correlation_Id="corr-7"), "corr-7"),
        (answer(400, {"contextId": "ctx-1"}), "ctx-1"),
        (answer(400, {"contextId": 7}), "7"),
        (answer(400, {"contextId": "<!here> `x`"}), "herex"),
        (answer(400, {"contextId": "x" * 500}), "x" * 64),
        (answer(400, {"contextId": "<>"}), None),
        (answer(400, ["x"]), None),
        (httpx.Response(400, content=b"<html>"), None),
    ],
)
def test_the_reference_is_the_headers_or_the_bodys_and_printable(response, reference):
    assert parsing.reference_of(response) == reference


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("7", 7), (" 30 ", 30), ("180", 180), ("9" * 400, 86400)])
def test_an_ordered_wait_is_read_in_seconds(text, seconds):
    assert retry.retry_after(httpx.Headers({"Retry-After": text})) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "٣", "Mon, 32 Foo 2026", "1e3"])
def test_an_ordered_wait_that_says_nothing_is_none(text):
    assert retry.retry_after(httpx.Headers({"Retry-After": text.encode()})) is None


def test_retry_after_may_be_a_date_and_a_past_one_is_zero():
    for ahead, least, most in ((60, 57, 60), (-60, 0, 0)):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        wait = retry.retry_after(httpx.Headers({"Retry-After": date}))
        assert wait is not None
        assert least <= wait <= most
    assert retry.retry_after(httpx.Headers()) is None


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.text("0123456789:,+- GMTMonJan"))
def test_no_ordered_wait_can_break_anything(text):
    wait = retry.retry_after(httpx.Headers({"Retry-After": text}))
    assert wait is None or wait >= 0


NEVER_REACHED = [
    aiohttp.ClientConnectorError(KEY, OSError("refused")),
    aiohttp.ClientConnectorDNSError(KEY, OSError("no such name")),
    aiohttp.ClientConnectorSSLError(KEY, OSError("tls")),
    aiohttp.ClientConnectorCertificateError(KEY, Exception("certificate")),
    aiohttp.ClientProxyConnectionError(KEY, OSError("proxy")),
    aiohttp.ClientHttpProxyError(SimpleNamespace(real_url="http://p"), (), status=403),
    aiohttp.ConnectionTimeoutError("connect"),
]
MAYBE_REACHED = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "reset"),
    aiohttp.ClientConnectionResetError("reset"),
    aiohttp.SocketTimeoutError("read"),
    aiohttp.ServerTimeoutError("server"),
    aiohttp.ClientPayloadError("cut"),
]


@each_case("named", [httpx.ConnectTimeout, httpx.ConnectError, httpx.ReadError, httpx.ProxyError])
@each_case("cause", NEVER_REACHED, ids=lambda cause: type(cause).__name__)
def test_an_unreached_call_is_recognized_by_its_cause(cause, named):
    error = named("x")
    error.__cause__ = cause
    fault = retry.error_from_exception(error)
    assert (type(fault.error), fault.rule) == (errors.ServiceUnreachableError, RetryRule.UNREACHED)


@each_case("named", [httpx.ConnectTimeout, httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])
@each_case("cause", MAYBE_REACHED, ids=lambda cause: type(cause).__name__)
def test_a_maybe_reached_call_is_never_taken_for_unreached(cause, named):
    error = named("x")
    error.__cause__ = cause
    fault = retry.error_from_exception(error)
    assert (type(fault.error), fault.rule) == (errors.OutcomeUnknownError, RetryRule.IF_SAFE)


@pytest.mark.parametrize(
    ("error", "unreached"),
    [
        (httpx.ConnectError, True),
        (httpx.ConnectTimeout, True),
        (httpx.PoolTimeout, True),
        (httpx.ProxyError, True),
        (httpx.ReadTimeout, False),
        (httpx.WriteError, False),
        (httpx.RemoteProtocolError, False),
    ],
)
def test_without_a_cause_of_aiohttps_the_name_counts(error, unreached):
    assert retry.is_unreached(error("x")) == unreached


@each_case(
    ("status", "message", "may"),
    [
        (403, "Missing required scope: cobrowse:session:write", True),
        (403, "", True),
        (403, "This request requires a user context.", False),
        (403, "User is missing conversation:cobrowse:add in division Sales", False),
        (401, "Missing required scope: cobrowse:session:write", False),
        (404, "", False),
    ],
)
def test_new_token_may_help_only_where_a_scope_may_lack(status: int, message: str, may: bool) -> None:
    assert retry.may_lack_scope(answer(status, {"message": message})) is may
