"""What went wrong with a call to Genesys, and by which rule it may be sent again; how often is test_patience.py's."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import aiohttp
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import errors
from bot.genesys import faults
from bot.genesys.faults import RetryRule

KEY = SimpleNamespace(host="h", port=1, ssl=False, is_ssl=False)


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
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
        (429, errors.ServiceBusyError, RetryRule.AS_ORDERED),
        (500, errors.ServiceFailedError, RetryRule.TWICE),
        (502, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
        (503, errors.ServiceBusyError, RetryRule.AS_ORDERED),
        (504, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
        (520, errors.OutcomeUnknownError, RetryRule.IF_SAFE),
    ],
)
def test_every_answer_has_its_name_its_rule_and_its_reference(status, error, repeat):
    fault = faults.of_answer(answer(status, {"message": "m"}, ININ_Correlation_Id="corr-7"), needs="a:b")
    assert fault is not None
    assert (type(fault.error), fault.repeat, fault.error.reference) == (error, repeat, "corr-7")


@pytest.mark.parametrize("status", [429, 503])
def test_only_an_answer_that_says_it_did_not_act_orders_a_wait(status):
    assert faults.of_answer(answer(status, Retry_After="7"), needs="").retry_after == 7
    assert faults.of_answer(answer(500, Retry_After="7"), needs="").retry_after is None


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_no_fault(status):
    assert faults.of_answer(answer(status), needs="a:b") is None


def test_a_403_names_what_the_client_lacks_and_a_400_the_services_own_words():
    assert faults.of_answer(answer(403), needs="a:b").error.needs == "a:b"
    refused = faults.of_answer(answer(400, {"message": " no\n <b> " + "x" * 400}), needs="").error
    assert (refused.status, len(refused.words), refused.words[:10]) == (400, 300, "no <b> xxx")
    assert faults.of_answer(answer(422, {"code": "bad.name"}), needs="").error.words == "bad.name"
    for junk in (httpx.Response(400, content=b"\xff{"), answer(400, ["x"]), answer(400, {"message": None})):
        assert faults.of_answer(junk, needs="").error.words == "Bad Request"


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
def test_the_reference_is_the_header_or_the_bodys_and_fit_to_be_shown(response, reference):
    assert faults.reference_of(response) == reference


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("7", 7), (" 30 ", 30), ("180", 180), ("9" * 400, 86400)])
def test_an_ordered_wait_is_read_in_seconds(text, seconds):
    assert faults.retry_after(httpx.Headers({"Retry-After": text})) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "٣", "Mon, 32 Foo 2026", "1e3"])
def test_an_ordered_wait_that_says_nothing_is_none(text):
    assert faults.retry_after(httpx.Headers({"Retry-After": text.encode()})) is None


def test_an_ordered_wait_is_read_as_a_date_and_one_that_has_passed_is_no_wait():
    for ahead, least, most in ((60, 57, 60), (-60, 0, 0)):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        wait = faults.retry_after(httpx.Headers({"Retry-After": date}))
        assert wait is not None
        assert least <= wait <= most
    assert faults.retry_after(httpx.Headers()) is None


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.text("0123456789:,+- GMTMonJan"))
def test_no_ordered_wait_can_break_anything(text):
    wait = faults.retry_after(httpx.Headers({"Retry-After": text}))
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


@pytest.mark.parametrize("named", [httpx.ConnectTimeout, httpx.ConnectError, httpx.ReadError, httpx.ProxyError])
@pytest.mark.parametrize("cause", NEVER_REACHED, ids=lambda cause: type(cause).__name__)
def test_what_never_reached_the_service_is_known_by_its_cause(cause, named):
    error = named("x")
    error.__cause__ = cause
    fault = faults.of_exception(error)
    assert (type(fault.error), fault.repeat) == (errors.ServiceUnreachableError, RetryRule.UNREACHED)


@pytest.mark.parametrize("named", [httpx.ConnectTimeout, httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])
@pytest.mark.parametrize("cause", MAYBE_REACHED, ids=lambda cause: type(cause).__name__)
def test_what_may_have_reached_it_is_not_taken_for_unreached_whatever_the_library_calls_it(cause, named):
    error = named("x")
    error.__cause__ = cause
    fault = faults.of_exception(error)
    assert (type(fault.error), fault.repeat) == (errors.OutcomeUnknownError, RetryRule.IF_SAFE)


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
    assert faults.never_reached(error("x")) == unreached
