"""What people read who did not want to start a session, when something goes wrong."""

import re

import pytest

from bot.core import errors
from bot.slack.messages.error_copy import error_copy
from tests.unit.slack.messages.test_error_copy import CONTACT, ERRORS, name_of


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_who_asked_for_something_else_does_not_read_about_a_start(error):
    said = error_copy(error, CONTACT, starting=False)
    assert said.what.endswith((".", "”"))
    assert said.next.endswith((".", ".)"))
    if not isinstance(error, STARTS_ONLY):
        assert not re.search(r"[Nn]o session was|was created|was started", said.what + said.next)


STARTS_ONLY = (
    errors.RateLimitedError,
    errors.StepsOffError,
    errors.RoleRequiredError,
    errors.InvalidHostError,
    errors.UnknownApplicationError,
    errors.NoUsableConversationError,
    errors.SeveralConversationsError,
    errors.SignInRequiredError,
    errors.InterruptedRequestError,
    errors.UnexpectedError,
)
"""Nothing but a start ends with these, or it is the create that nobody knows about."""
