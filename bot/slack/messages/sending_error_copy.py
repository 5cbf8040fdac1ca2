"""What happened and what to do next, for what goes wrong when a link is sent to a customer (pure, mrkdwn)."""

from bot.core import errors
from bot.core.errors import CobrowseError, ServiceError
from bot.slack.messages.blocks import escape

_NOTHING = "Nothing was sent."
_ADDRESSES = {
    "none": ("A phone number or an e-mail address is missing.", "Add one, such as +14155550123 or name@example.com."),
    "neither": (
        "That is neither a phone number nor an e-mail address.",
        "Write it alone, such as +14155550123 or name@example.com.",
    ),
    "country": ("That number has no country code.", "Write it with the plus, such as +14155550123."),
    "number": ("There is no such phone number.", "Check it, country code included, such as +14155550123."),
    "sms": ("That number takes no SMS.", "Ask your customer for a mobile number or an e-mail address."),
    "email": ("That is no e-mail address.", "Check it, and write it like name@example.com."),
}
_MEDIA = {"sms": ("SMS", "COBROWSE_SMS_FROM"), "email": ("e-mail", "COBROWSE_EMAIL_FROM")}


def address_error(why: str) -> tuple[str, str]:
    """What is wrong with an address, by SendRejectedError.why."""
    return _ADDRESSES.get(why, _ADDRESSES["number"])


def of_a_sending(error: CobrowseError, contact: str, *, pressed: bool) -> tuple[str, str] | None:
    """The two sentences; None for what is said as elsewhere. `contact` is whom to ask; `pressed`: it was to go out."""
    ask = f"Ask {contact} if that should be different."
    match error:
        case errors.SendRejectedError(code="sending_off", detail=medium):
            name, variable = _MEDIA.get(medium, _MEDIA["sms"])
            return f"This bot sends nothing by {name}. {_NOTHING}", f"Ask {contact} to set {variable}."
        case errors.SendRejectedError(code="invalid_address", detail=why):
            what, then = address_error(why)
            return f"{what} {_NOTHING}", then
        case errors.SendRejectedError(code="country_not_allowed", detail=country):
            where = f"({escape(country)})" if country else "of no country in particular"
            return f"SMS to numbers {where} are not allowed here. {_NOTHING}", ask
        case errors.SessionActionError(code="no_link_to_send"):
            return f"The session has a code and no link. {_NOTHING}", "Tell your customer the code."
        case errors.SessionActionError(code="link_used_up"):
            what = "Genesys knows this offer no more: somebody has joined by it, or it is over."
            return what, "If your customer is not in the session, type `{command}` for a new one."
        case errors.SendRejectedError(code="text_too_long", detail=most):
            what = f"With the link in it the message is longer than {most} characters. {_NOTHING}"
            return what, f"Tell {contact}, and give your customer the link yourself."
        case errors.ConversationActiveError():
            what = f"Your company is in an SMS conversation with this customer already. {_NOTHING}"
            return what, "Paste the link into that conversation; `{command} last` shows it again."
        case errors.RateLimitedError(code="too_many_sends", limit=most, wait_seconds=seconds):
            return f"You may send {most} links a minute, and have sent them.", f"Try again in {round(seconds)} seconds."
    return _of_a_press(error, contact) if pressed else None


def _of_a_press(error: CobrowseError, contact: str) -> tuple[str, str] | None:
    """For the press that sends: elsewhere the same errors are about a session that was to be made."""
    unknown = "Nobody knows whether the link was sent, so it was not sent again."
    check = "Ask your customer whether it has come before you send it once more."
    again = "Type `{command} send` again, or use the card's button."
    match error:
        case errors.OutcomeUnknownError() | errors.UnusableAnswerError(acted=True):
            return f"Genesys gave no clear answer. {unknown}", check
        case errors.InterruptedRequestError(code="interrupted", maybe_created=True):
            return f"The bot was restarted in the middle of it. {unknown}", check
        case errors.UnexpectedError(maybe_created=True):
            return f"Something went wrong on the bot's side. {unknown}", f"{check} If it stays so, tell {contact}."
        case (
            errors.InterruptedRequestError(code="interrupted")
            | errors.InterruptedRequestError(code="not_started")
            | errors.UnexpectedError()
        ):
            return f"Something got in the way on the bot's side. {_NOTHING}", again
        case errors.PermissionMissingError(code="permission_missing", needs=needs, words=words) if words:
            what = f"Genesys does not let the bot do this: “{escape(words)}” {_NOTHING}"
            return what, f"Tell {contact}: the bot's OAuth client needs a role with `{escape(needs)}` in that division."
        case errors.PermissionMissingError(code="permission_missing", needs=needs):
            what = f"The bot may not do this in Genesys: its OAuth client lacks `{escape(needs)}`. {_NOTHING}"
            return what, f"Tell {contact}; no restart is needed once it is added."
        case errors.BadRequestError(status=status, words=words):
            return (
                f"Genesys refused the message ({status}): “{escape(words)}”",
                f"Tell {contact} if you cannot see why.",
            )
        case errors.TokenRefusedError() | errors.LoginRefusedError(code="oauth_refused"):
            return f"The bot's own sign-in to Genesys is broken. {_NOTHING}", f"Tell {contact}."
        case errors.MaybeAcceptedError():
            return (
                "Nobody knows whether your press was written down.",
                "If no answer comes within a minute, press again.",
            )
        case errors.NotAcceptedError():
            return f"The bot cannot take it in just now. {_NOTHING}", "Press again in a moment."
        case ServiceError():
            return f"Genesys is too busy or out of reach. {_NOTHING}", again
    return None
