"""Hold the sentences that tell administrators why the bot cannot use a response of Genesys (pure)."""

from bot.slack.messages.catalogue.sentence import Filled, Value, fault

_ANSWERS = (
    fault("answer.id", "an id that cannot be part of a URL"),
    fault("answer.no_refresh_token", "a sign-in without a refresh token"),
    fault("answer.no_token", "a login answer without a token"),
    fault("answer.users_shape", "a list of users in an unknown form"),
    fault("answer.no_entities", "a list of applications without entities"),
    fault("answer.no_usable_id", "a session without a usable id"),
    fault("answer.no_join_url", "a session without a join URL"),
    fault("answer.other_host", "a session for another host"),
    fault("answer.conversations_shape", "a list of conversations in an unknown form"),
    fault("answer.no_join_code", "a session without a usable join code"),
    fault("answer.long_join_code", "a join code that is too long"),
    fault("answer.no_json", "an answer that is not JSON"),
    fault("answer.shape", "an answer in an unknown form"),
    fault("answer.id_taken", "a session with the id of another session"),
    fault("answer.join_url_not_https", "a join URL that is not a plain https URL"),
    fault("answer.join_host", "a join URL on a host that is not allowed"),
)
_REDIRECT = fault("answer.redirect", "a redirect ({status})")
_BY_TEXT = {sentence.text: sentence for sentence in _ANSWERS}


def what_is_wrong(why: str) -> Value:
    """Return the sentence for `why`, the reason in an UnusableAnswerError; `why` itself if it has no sentence."""
    before, _, after = _REDIRECT.text.partition("{status}")
    if why.startswith(before) and why.endswith(after):
        return Filled(_REDIRECT, {"status": why.removeprefix(before).removesuffix(after)})
    return _BY_TEXT.get(why, why)
