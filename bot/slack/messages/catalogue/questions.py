"""Hold the sentences about ambiguous commands: the questions, the labels of their buttons, and refusals (pure)."""

from bot.slack.messages.catalogue.sentence import Sentence, label, said

QUESTIONS: dict[str, Sentence] = {
    "command": said("question.command", "Did you mean *{subject}*?"),
    "command_for": said("question.command_for", "Did you mean *{subject}* for {person}?"),
    "end_named": said("question.end_named", "Did you mean to end *{session}*?"),
    "fillers": said("question.fillers", "Start a session?"),
    "fillers_for": said("question.fillers_for", "Start a session for {person}?"),
    "person": said("question.person", "For {person} or for you?"),
    "unknown_person": said(
        "question.unknown_person", "I don’t know “{subject}”. Pick the name from Slack’s list after typing @."
    ),
    "address": said(
        "question.address",
        "A name can’t hold a phone number or email address. Send the link to *{subject}*, or leave it out?",
    ),
    "address_alone": said(
        "question.address_alone", "A name can’t hold a phone number or email address. Start without it?"
    ),
}
"""The questions, by the kind of ambiguity. A key that ends in `_for` is about a session for another person."""

OPTIONS: dict[str, Sentence] = {
    "end": label("option.end", "End session"),
    "end_for": label("option.end_for", "End their session"),
    "status": label("option.status", "Show my sessions"),
    "list": label("option.list", "Show all sessions"),
    "last": label("option.last", "Show my last link"),
    "whoami": label("option.whoami", "Show my Genesys user"),
    "why": label("option.why", "Show my access"),
    "why_for": label("option.why_for", "Show their access"),
    "help": label("option.help", "Show help"),
    "apps": label("option.apps", "Show applications"),
    "propose": label("option.propose", "Send my link"),
    "connect": label("option.connect", "Sign in to Genesys"),
    "disconnect": label("option.disconnect", "Sign out of Genesys"),
    "new": label("option.new", "Open the form"),
    "start": label("option.start", "Start a session"),
    "start_for": label("option.start_for", "Start one for them"),
    "start_named": label("option.start_named", "Start one called “{name}”", limit=40),
    "start_and_send": label("option.start_and_send", "Start, then send the link"),
    "start_without": label("option.start_without", "Start without it"),
    "for_me": label("option.for_me", "For me"),
    "for_person": label("option.for_person", "For {person}", limit=40),
    "for_them": label("option.for_them", "For them"),
}
"""The labels of the buttons below a question, by what the button does."""

REFUSALS: dict[str, Sentence] = {
    "no_person": said("refusal.no_person", "Name one person, not a group or a channel."),
    "two_people": said("refusal.two_people", "One person at a time, please."),
    "person_later": said(
        "refusal.person_later",
        "I can’t tell whether this is for you or for the person you mention. Put the person first.",
    ),
    "no_conversation": said(
        "refusal.no_conversation", "I don’t know that interaction. Paste its address or ID from Genesys."
    ),
}
"""The reasons why the bot rejects a text, by the lower-case name of a `command_parser.Reason`."""

OFFER_REFUSALS: dict[str, Sentence] = {
    "no_link": said(
        "offer_refusal.no_link",
        "This session has a code and no link, so there is nothing to send. Tell your customer the code.",
    ),
    "sending_off.sms": said(
        "offer_refusal.sending_off.sms",
        "I can’t send text messages here: sending is not set up. Give your customer the link yourself.",
    ),
    "sending_off.email": said(
        "offer_refusal.sending_off.email",
        "I can’t send emails here: sending is not set up. Give your customer the link yourself.",
    ),
    "country_not_allowed": said(
        "offer_refusal.country_not_allowed",
        "I can’t text numbers of that country. Give your customer the link yourself.",
    ),
    "invalid_address.number": said(
        "offer_refusal.invalid_address.number", "That phone number doesn’t exist. Check it, then use the button below."
    ),
    "invalid_address.sms": said(
        "offer_refusal.invalid_address.sms", "That number can’t get texts. Try a mobile number or an email address."
    ),
    "invalid_address.email": said(
        "offer_refusal.invalid_address.email", "That doesn’t look like an email address. Try another one."
    ),
}
"""The reasons why a session card does not offer to send the link to the customer's address.

A key is `no_link` or the code of a SendRejectedError. If the sentence depends on the error's `detail`, the key has the
detail as a suffix.
"""

CHOSEN = said("question.chosen", "You’ve chosen already. Look for the answer here or in our direct messages.")
NAME_ERROR = said(
    "question.name_error", "A name can’t hold a phone number or email address. Your customer’s page may show the name."
)
NAME_ERROR_HERE = said(
    "question.name_error_here", "A name can’t hold a phone number or email address. Put it into the field above."
)
OFFER = said("question.offer", ":envelope: Send this link to *{subject}*?")
SEND = label("question.send", "Send")
SENT_ALREADY = said("question.sent_already", "That link is sent, or on its way.")
NOTHING_STARTED = said("question.nothing_started", "No session was started.")
OTHER_COMMAND = said("question.other_command", "This bot answers to `{command}`.")
OTHER_COMMAND_NEXT = said("question.other_command_next", "Nothing was started. Type that instead.")
