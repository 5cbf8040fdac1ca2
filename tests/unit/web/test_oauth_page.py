"""The page at the end of a sign-in: every outcome has a page in plain words, and no value on it can become markup."""

import re

import pytest

from bot.core import errors
from bot.core.models import MembershipStatus
from bot.core.results import AccountLinked
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.error_copy import Addressee
from bot.web.oauth_page import busy_page, page
from tests.support.cases import each_case
from tests.support.errors import ERRORS, name_of
from tests.support.requests import request
from tests.support.settings import HOST

STATUSES = [
    (AccountLinked(HOST), 200),
    (errors.AccountLinkError("connect_link_expired"), 400),
    (errors.SignInRejectedError("connect_denied"), 403),
    (errors.SignInRejectedError("connect_wrong_user", "corr-7"), 403),
    (errors.PersonNotAllowedError("not_a_member", "U0ANA", MembershipStatus.DEACTIVATED, is_target=False), 403),
    (errors.LoginRefusedError(code="connect_failed", oauth_error="invalid_grant", reference="corr-7"), 503),
    (errors.ServiceUnreachableError(), 503),
    (errors.StorageUnavailableError(), 503),
    (errors.UnexpectedError(), 503),
]


def shown(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


@pytest.mark.parametrize(("outcome", "status"), STATUSES, ids=lambda each: getattr(each, "code", None))
def test_each_outcome_has_a_status_and_a_reference(outcome, status):
    found, html = page(outcome, request(), Addressee(PLAIN_ENGLISH))
    assert found == status
    assert "Reference reference" in shown(html)
    assert ("Genesys corr-7" in shown(html)) == (getattr(outcome, "reference", None) is not None)


@each_case("error", ERRORS, ids=name_of)
def test_no_outcome_brings_mark_up_into_the_page(error):
    _, html = page(error, None, Addressee(PLAIN_ENGLISH))
    tags = set(re.findall(r"</?(\w+)", html))
    assert tags - {"small"} == {"html", "head", "meta", "title", "link", "style", "body", "main", "p", "h1"}
    assert "`" not in html
    assert "{command}" not in html


def test_next_step_names_the_command():
    _, html = page(errors.AccountLinkError("connect_link_expired"), None, Addressee(PLAIN_ENGLISH, "/share"))
    assert "In Slack, type /share connect for a new one." in shown(html)
    assert "in a minute" in shown(busy_page(PLAIN_ENGLISH))
