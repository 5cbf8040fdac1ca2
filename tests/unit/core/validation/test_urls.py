"""The allowed join URLs: https with a host, safe in a Slack message, a web page and an SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.validation.display import URL_LENGTH, is_safe_url
from tests.support.cases import each_case


@pytest.mark.parametrize(
    "url",
    [
        "https://join.example.com/join/abc",
        "HTTPS://Join.Example.com:8443/join/abc?lang=de&x=%20#code=1,2;(3)",
        "https://join.example.com",
        "https://[2001:db8::1]/join",
        "http://localhost:3000/join/abc",
        "http://127.0.0.1/join",
        "http://[::1]:3000/join",
        "https://join.example.com/" + "x" * (URL_LENGTH - 25),
    ],
)
def test_a_link_a_service_would_give_is_safe(url: str) -> None:
    assert is_safe_url(url)


@each_case(
    "url",
    [
        "",
        "https://",
        "https:///join",
        "https:join.example.com",
        "//join.example.com/join",
        "http://join.example.com/join",
        "http://localhost.example.com/join",
        "http://localhost@join.example.com/join",
        "https://join.example.com@evil.example/join",
        "https://join.example.com:port/join",
        "javascript:alert(1)",
        "ftp://localhost/join",
        " https://join.example.com/join",
        "https://join.example.com/join\n",
        "https://join.example.com/joín",
        "https://exämple.com/join",
        "https://join.example.com\\join",
        "https://join.example.com/" + "x" * URL_LENGTH,
        *(f"https://join.example.com/join{ending}" for ending in ' <>"`|\\\t\x00\x7f'),
    ],
)
def test_any_other_is_not(url: str) -> None:
    assert not is_safe_url(url)


@given(st.text(max_size=40))
def test_nothing_that_is_safe_could_end_a_messages_markup(rest: str) -> None:
    if is_safe_url(url := f"https://join.example.com/{rest}"):
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(' <>"`|\\')
