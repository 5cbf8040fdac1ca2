"""A session whose id the store refuses: the request fails once, even if the store's answer is lost."""

import pytest

from bot.core.errors import ID_TAKEN, StorageUnavailableError, UnusableAnswerError
from bot.core.models import RequestState, Session, SessionStarted
from tests.support.request_run import NOW, Ledger, tell

SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")
TAKEN = UnusableAnswerError(why=ID_TAKEN, acted=True)


def refuse(ledger: Ledger, *, mute: bool = False) -> None:
    """Make the store hold the session's id as another person's. `mute`: the store's first answer is lost."""
    advance = ledger.advance

    async def refusing(request_id, from_, to, *, session=None, failure=None) -> bool:
        nonlocal mute
        if session is None:
            return await advance(request_id, from_, to, failure=failure)
        moved = await advance(request_id, from_, RequestState.FAILED, failure=TAKEN)
        if moved and mute:
            mute = False
            raise StorageUnavailableError
        if moved:
            raise TAKEN
        return False

    ledger.advance = refusing


@pytest.mark.parametrize("mute", [False, True], ids=["heard", "word lost"])
def test_refusal_of_the_store_is_the_outcome(mute: bool) -> None:
    async def story(progress, ledger, notifier):
        refuse(ledger, mute=mute)
        with pytest.raises(UnusableAnswerError):
            await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        assert progress.state is RequestState.FAILED

    ledger, _ = tell(story, RequestState.CREATING)
    assert ledger.moves == [(RequestState.CREATING, RequestState.FAILED)]


def test_settle_returns_the_refusal_in_place_of_the_session() -> None:
    async def story(progress, ledger, notifier):
        refuse(ledger)
        assert await progress.record_result(SessionStarted(SESSION)) is TAKEN

    tell(story, RequestState.CREATING)
