"""Hold the sentences about errors, by code, variant and situation (pure). error_copy.py chooses among them.

The key of a sentence is the error's code, then `.variant` if the code has several meanings, then `@situation` if the
sentence depends on what the person asked for. Examples: `host_not_found.target`, `outcome_unknown@send`. For some
errors, administrators also read the sentences in repairs.py.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.slack.messages.catalogue.sentence import Part, Sentence, next_step, problem, said


class Situation(StrEnum):
    """What the person had asked the bot to do when an error occurred. The sentences about an error can depend on it."""

    START = "start"
    SEND = "send"
    CONNECT = "connect"
    QUERY = "query"
    """The person asked for something else, such as `status`: not to start, send or connect anything."""


NOTHING_DONE = {
    Situation.START: said("nothing_done@start", "Nothing was started."),
    Situation.SEND: said("nothing_done@send", "Nothing was sent."),
    Situation.CONNECT: said("nothing_done@connect", "Nothing has changed."),
}


TELL = said("contact.tell", "Please tell {contact}.")
TELL_IF_REPEATED = said("contact.tell_if_repeated", "If it keeps happening, tell {contact}.")
TELLING = said("contact.telling", "I’m telling {contact} now.")
"""Used if the bot has stored a notice about the error for `{contact}`, but Slack has not accepted the notice's message
yet. The bot sends the message even after a crash."""
TOLD = said("contact.told", "{contact} has been told.")
"""Used if Slack has accepted a message about the error to the people or the channel that `{contact}` names."""
REFERENCE = said("reference", "Reference `{reference}`")
SERVICE_REFERENCE = said("reference.genesys", "Genesys `{reference}`")
"""REFERENCE shows the request's id, and SERVICE_REFERENCE shows Genesys's correlation id. Support needs these ids."""


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """The sentences about one error.

    - `problem`: what went wrong.
    - `next_step`: what the reader can do; None for none.
    - `contact`: the sentence that asks the reader to tell an administrator; None for none. If the bot tells the
      administrators itself, the message has the sentence TELLING or TOLD in its place.
    - `nothing_done`: whether to add the sentence from NOTHING_DONE, such as "Nothing was started."
    - `has_status_page`: whether the message links to the status page of Genesys.
    """

    problem: Sentence
    next_step: Sentence | None = None
    contact: Sentence | None = None
    nothing_done: bool = True
    has_status_page: bool = False


ERRORS: dict[str, ErrorEntry] = {}


def _entry(
    *sentences: Sentence, contact: Sentence | None = None, nothing_done: bool = True, has_status_page: bool = False
) -> None:
    parts = {sentence.part: sentence for sentence in sentences}
    first = parts[Part.PROBLEM]
    ERRORS[first.key] = ErrorEntry(
        problem=first,
        next_step=parts.get(Part.NEXT_STEP),
        contact=contact,
        nothing_done=nothing_done,
        has_status_page=has_status_page,
    )


# Errors of the bot itself.
_entry(problem("shutting_down", "I’m restarting."), next_step("shutting_down", "Try again in a few seconds."))
_entry(problem("overloaded", "I have too much to do right now."), next_step("overloaded", "Try again in a minute."))
_entry(
    problem("storage_unavailable", "I can’t save anything right now."),
    next_step("storage_unavailable", "Try again in a minute."),
)
_entry(
    problem("storage_unavailable@query", "I can’t reach my records right now."),
    next_step("storage_unavailable@query", "Try again in a minute."),
)
_entry(
    problem("not_accepted", "I can’t take that right now."),
    next_step("not_accepted", "Try again in a moment."),
)
_entry(
    problem("maybe_accepted", "I’m not sure that I saved your request."),
    next_step("maybe_accepted", "If no answer comes within a minute, try again."),
    nothing_done=False,
)
_entry(
    problem("unexpected", "Something went wrong on my side."),
    next_step("unexpected", "Try again."),
    contact=TELL_IF_REPEATED,
)
_entry(
    problem("unexpected.maybe_done", "Something went wrong, so I don’t have a link for you."),
    next_step("unexpected.maybe_done", "Try again. An unused session closes by itself."),
    nothing_done=False,
)
_entry(
    problem("unexpected.maybe_done@query", "Something went wrong on my side."),
    next_step("unexpected.maybe_done@query", "Try again."),
    contact=TELL_IF_REPEATED,
    nothing_done=False,
)
_entry(
    problem("unexpected.maybe_done@send", "Something went wrong, so the link may or may not be sent."),
    next_step("unexpected.maybe_done@send", "Ask your customer whether it came before you send it again."),
    nothing_done=False,
)
_entry(problem("interrupted", "I was restarted before I got to it."), next_step("interrupted", "Try again."))
_entry(
    problem("interrupted.maybe_done", "I was restarted meanwhile, so I don’t have a link for you."),
    next_step("interrupted.maybe_done", "Try again. An unused session closes by itself."),
    nothing_done=False,
)
_entry(
    problem("interrupted.maybe_done@query", "I was restarted in the middle of it."),
    next_step("interrupted.maybe_done@query", "Check whether it is done, then try again."),
    nothing_done=False,
)
_entry(
    problem("interrupted.maybe_done@send", "I was restarted, so the link may or may not be sent."),
    next_step("interrupted.maybe_done@send", "Ask your customer whether it came before you send it again."),
    nothing_done=False,
)
_entry(problem("not_started", "I couldn’t save your request in time."), next_step("not_started", "Try again."))
_entry(
    problem("session_over", "I was restarted, and your session ended meanwhile."),
    next_step("session_over", "Try again."),
    nothing_done=False,
)

# Limits.
_entry(
    problem("too_many_starts", "You’ve started too many sessions just now."),
    next_step("too_many_starts", "Try again in {wait}. `{command} last` shows your latest link."),
)
_entry(
    problem("too_many_starts.everybody", "Your team has started too many sessions just now."),
    next_step("too_many_starts.everybody", "Try again in {wait}."),
)
_entry(
    problem("too_many_sends", "You’ve sent too many links just now."),
    next_step("too_many_sends", "Try again in {wait}."),
)
_entry(
    problem("too_many_inquiries", "That’s too many commands in a minute."),
    next_step("too_many_inquiries", "Try again in {wait}."),
)

# Roles and permissions.
_entry(
    problem("wrong_workspace", "I don’t work in this workspace."),
    next_step("wrong_workspace", "Use me in your company’s own workspace."),
)
_entry(
    problem("channel_not_allowed", "Nobody can start co-browse in this channel."),
    next_step("channel_not_allowed", "Use {channels} instead."),
    nothing_done=False,
)
_entry(
    problem("channel_not_allowed.elsewhere", "You can’t start co-browse from here."),
    next_step("channel_not_allowed.elsewhere", "Use {channels} instead."),
    nothing_done=False,
)
_entry(
    problem("channel_not_allowed.share", "You can’t share co-browse links in this channel."),
    next_step("channel_not_allowed.share", "Use {channels} instead."),
    nothing_done=False,
)
_entry(
    problem("not_a_member.guest", "Guests can’t use co-browse here."),
    next_step("not_a_member.guest", "Ask a colleague who is a member to help your customer."),
    nothing_done=False,
)
_entry(problem("not_a_member.bot", "Bots can’t use co-browse."), nothing_done=False)
_entry(problem("not_a_member.deactivated", "Deactivated accounts can’t use co-browse."), nothing_done=False)
_entry(
    problem("not_a_member.outsider", "People from other organizations can’t use co-browse here."),
    next_step("not_a_member.outsider", "Ask somebody in this workspace to help your customer."),
    nothing_done=False,
)
_entry(problem("not_a_member.member", "You can’t use co-browse here."), nothing_done=False)
_entry(
    problem("not_a_member.guest_target", "{person} is a guest, and guests can’t use co-browse here."),
    next_step("not_a_member.guest_target", "Choose a colleague who is a member."),
)
_entry(
    problem("not_a_member.bot_target", "{person} is a bot."),
    next_step("not_a_member.bot_target", "Choose a person."),
)
_entry(
    problem("not_a_member.deactivated_target", "The account of {person} is deactivated."),
    next_step("not_a_member.deactivated_target", "Choose somebody else."),
)
_entry(
    problem("not_a_member.outsider_target", "{person} isn’t a member of this workspace."),
    next_step("not_a_member.outsider_target", "Choose a colleague who is."),
)
_entry(
    problem("not_a_member.member_target", "{person} can’t use co-browse here."),
    next_step("not_a_member.member_target", "Choose somebody else."),
)
_entry(
    problem("not_listed", "You’re not on the list of people who can use co-browse."),
    next_step("not_listed", "Ask {contact} to add you."),
    nothing_done=False,
)
_entry(
    problem("not_listed.target", "{person} isn’t on the list of people who can use co-browse."),
    next_step("not_listed.target", "Ask {contact} to add them."),
)
_entry(
    problem("may_not_act_for_others", "Only supervisors can start a session for somebody else."),
    next_step("may_not_act_for_others", "Ask a supervisor, or ask {person} to start it."),
)
_entry(
    problem("supervisors_only", "Only supervisors can see other people’s sessions and Genesys users."),
    next_step("supervisors_only", "`{command} status` shows your own sessions."),
)
_entry(
    problem("supervisors_only.end", "Only supervisors can end other people’s sessions. Nothing was ended."),
    next_step("supervisors_only.end", "Ask {person} or a supervisor to end it."),
    nothing_done=False,
)
_entry(
    problem("administrators_only", "Only administrators can connect people to Genesys users."),
    next_step("administrators_only", "Ask {contact} to do it."),
)
_entry(
    problem("may_not_check", "Only administrators can check this again."),
    next_step("may_not_check", "Ask {contact} to press it."),
    nothing_done=False,
)
_entry(
    problem("workflow_steps_off", "Workflows can’t start co-browse here."),
    next_step("workflow_steps_off", "Ask {contact} to allow it."),
)
_entry(
    problem("workflow_agent_missing", "This workflow step doesn’t say whose session it is."),
    next_step("workflow_agent_missing", "Choose a person for its input “agent”."),
)
_entry(
    problem("may_not_end", "Only {people}, supervisors and administrators can end this session."),
    next_step("may_not_end", "Ask one of them to end it."),
)
_entry(
    problem("may_not_read_link", "Only {people} can see this link."),
    next_step("may_not_read_link", "Ask them for it."),
)

# The Genesys user of a person.
_entry(
    problem("host_not_found", "Your Slack account isn’t connected to Genesys yet."),
    next_step("host_not_found", "Ask {contact} to connect you."),
)
_entry(
    problem("host_not_found.target", "{person} isn’t connected to Genesys yet."),
    next_step("host_not_found.target", "Ask {contact} to connect them."),
)
_entry(
    problem("slack_unavailable.passes", "Slack didn’t answer my question."),
    next_step("slack_unavailable.passes", "Try again in a minute."),
)
_entry(
    problem("slack_unavailable", "Slack doesn’t answer my questions."),
    contact=TELL,
)
_entry(
    problem("not_linked", "This person isn’t connected by hand."),
    next_step("not_linked", "`{command} why @agent` shows whether they are connected, and how."),
    nothing_done=False,
)
_entry(
    problem("no_such_host", "I can’t connect them: {reason}."),
    next_step("no_such_host", "Check the email address, or use the Genesys user’s ID."),
    nothing_done=False,
)

# The connection to Genesys.
_entry(
    problem("token_refused", "My connection to Genesys is broken."),
    next_step("token_refused", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("token_refused@query", "My connection to Genesys is broken."),
    contact=TELL,
)
_entry(
    problem("token_refused@send", "My connection to Genesys is broken."),
    next_step("token_refused@send", "Give your customer the link yourself."),
    contact=TELL,
)
_entry(
    problem("oauth_refused", "My connection to Genesys is broken."),
    next_step("oauth_refused", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("oauth_refused@query", "My connection to Genesys is broken."),
    contact=TELL,
)
_entry(
    problem("oauth_refused@send", "My connection to Genesys is broken."),
    next_step("oauth_refused@send", "Give your customer the link yourself."),
    contact=TELL,
)
_entry(
    problem("connect_client_refused", "My connection to Genesys is broken."),
    next_step("connect_client_refused", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("permission_missing", "Genesys doesn’t let me do this yet."),
    next_step("permission_missing", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("permission_missing@query", "Genesys doesn’t let me do this yet."),
    contact=TELL,
)
_entry(
    problem("permission_missing@send", "Genesys doesn’t let me send links yet."),
    next_step("permission_missing@send", "Give your customer the link yourself."),
    contact=TELL,
)
_entry(
    problem("service_busy", "Genesys is too busy right now."),
    next_step("service_busy", "Try again in a minute."),
)
_entry(
    problem("service_busy.wait", "Genesys is too busy right now."),
    next_step("service_busy.wait", "Try again in {wait}."),
)
_entry(
    problem("queue_too_long", "Too many people are waiting for Genesys."),
    next_step("queue_too_long", "Try again in {wait}."),
)
_entry(
    problem("service_fault", "Genesys has a problem right now."),
    next_step("service_fault", "Try again in a few minutes."),
    nothing_done=False,
    has_status_page=True,
)
_entry(
    problem("service_unreachable", "I can’t reach Genesys."),
    next_step("service_unreachable", "Try again in a minute."),
)
_entry(
    problem("service_error", "Genesys couldn’t do this."),
    next_step("service_error", "Try again in a minute."),
)
_entry(
    problem("outcome_unknown", "Genesys didn’t answer, so I don’t have a link for you."),
    next_step("outcome_unknown", "Try again. An unused session closes by itself."),
    nothing_done=False,
)
_entry(
    problem("outcome_unknown@query", "Genesys didn’t answer."),
    next_step("outcome_unknown@query", "Try again in a minute."),
    nothing_done=False,
)
_entry(
    problem("outcome_unknown@send", "Genesys didn’t answer, so the link may or may not be sent."),
    next_step("outcome_unknown@send", "Ask your customer whether it came before you send it again."),
    nothing_done=False,
)
_entry(
    problem("unusable_answer", "Genesys gave an answer that I can’t use."),
    next_step("unusable_answer", "Try again."),
    contact=TELL_IF_REPEATED,
)
_entry(
    problem("unusable_answer.acted", "Genesys gave me no link that I can use."),
    next_step("unusable_answer.acted", "Try again. An unused session closes by itself."),
    nothing_done=False,
)
_entry(
    problem("unusable_answer.acted@send", "Genesys gave no clear answer, so the link may or may not be sent."),
    next_step("unusable_answer.acted@send", "Ask your customer whether it came before you send it again."),
    nothing_done=False,
)

# Genesys's answers to a request.
_entry(
    problem("invalid_host", "Genesys won’t let you co-browse."),
    next_step("invalid_host", "Usually a license is missing. Ask a colleague to take your customer."),
    contact=TELL,
)
_entry(
    problem("invalid_host.other", "Genesys won’t let this agent co-browse."),
    next_step("invalid_host.other", "Usually a license is missing. Choose another agent meanwhile."),
    contact=TELL,
)
_entry(
    problem("unknown_application", "Genesys doesn’t know the co-browse application that I use."),
    next_step("unknown_application", "Use another one meanwhile."),
    contact=TELL,
)
_entry(
    problem("unknown_application.unlisted", "Genesys doesn’t know the co-browse application that I use."),
    next_step("unknown_application.unlisted", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(problem("bad_request", "Genesys didn’t accept this."), contact=TELL)
_entry(
    problem("bad_request@start", "Genesys didn’t accept this."),
    next_step("bad_request@start", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("create_call_missing", "I can’t start sessions yet: my setup doesn’t fit your Genesys."),
    next_step("create_call_missing", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("session_unknown_to_service", "Genesys can’t end this session early."),
    next_step("session_unknown_to_service", "It ends by itself when its time is up."),
    nothing_done=False,
)
_entry(
    problem("session_unknown_to_service.conversation", "I can’t end this session."),
    next_step(
        "session_unknown_to_service.conversation",
        "If the customer is in it, stop the sharing in Genesys. Nobody can join when its time is up.",
    ),
    nothing_done=False,
)
_entry(
    problem("no_conversation", "I don’t see a conversation with a customer."),
    next_step("no_conversation", "If it has just begun, wait a few seconds, or paste its link."),
)
_entry(
    problem("no_conversation.other", "I don’t see this agent with a customer."),
    next_step("no_conversation.other", "If the conversation has just begun, wait a few seconds, or paste its link."),
)
_entry(
    problem("not_in_conversation", "You’re not in that conversation, or it is over."),
    next_step("not_in_conversation", "Answer it first, or use the interaction of your own customer."),
)
_entry(
    problem("not_in_conversation.other", "This agent isn’t in that conversation, or it is over."),
    next_step("not_in_conversation.other", "Check the agent and the interaction. They have to answer it first."),
)
_entry(
    problem("conversation_kind_not_supported.chat", "Genesys can’t co-browse in a web chat."),
    next_step("conversation_kind_not_supported.chat", "It works in calls and messages with a customer."),
)
_entry(
    problem("conversation_kind_not_supported.callback", "Genesys can’t co-browse before the callback is dialed."),
    next_step("conversation_kind_not_supported.callback", "Try again when you are connected."),
)
_entry(
    problem("conversation_kind_not_supported.email", "Genesys can’t co-browse in an email."),
    next_step("conversation_kind_not_supported.email", "It works in calls and messages with a customer."),
)
_entry(
    problem("conversation_kind_not_supported.social", "Genesys can’t co-browse in a social post."),
    next_step("conversation_kind_not_supported.social", "It works in calls and messages with a customer."),
)
_entry(
    problem("conversation_kind_not_supported.video", "Genesys can’t co-browse in a video call."),
    next_step("conversation_kind_not_supported.video", "It works in calls and messages with a customer."),
)
_entry(
    problem("conversation_kind_not_supported.internal", "There is no customer in this conversation."),
    next_step("conversation_kind_not_supported.internal", "Co-browse works in calls and messages with a customer."),
)
_entry(
    problem("conversation_kind_not_supported", "Genesys can’t co-browse in this kind of conversation."),
    next_step("conversation_kind_not_supported", "It works in calls and messages with a customer."),
)
_entry(
    problem("several_conversations", "Which customer is this for?"),
    next_step("several_conversations", "Type `{command}` with the interaction’s ID or address: {conversations}."),
)

# People's own sign-in to Genesys.
_entry(
    problem("connect_required", "Sign in to Genesys once, then I can start sessions for you."),
    next_step("connect_required", "Type `{command} connect`, then try again."),
)
_entry(
    problem("connect_required.link", "Sign in to Genesys once, then I can start sessions for you."),
    next_step("connect_required.link", "After you sign in, try again."),
)
_entry(
    problem("connect_required.other", "The agent has to sign in to Genesys first."),
    next_step("connect_required.other", "Ask them to type `{command} connect`, then try again."),
)
_entry(
    problem("connect_required.off", "I can’t start sessions yet: signing in to Genesys isn’t set up."),
    next_step("connect_required.off", "Meanwhile, start co-browse in Genesys."),
    contact=TELL,
)
_entry(
    problem("reconnect_required", "Your sign-in to Genesys has expired."),
    next_step("reconnect_required", "Type `{command} connect`, then try again."),
)
_entry(
    problem("reconnect_required.link", "Your sign-in to Genesys has expired."),
    next_step("reconnect_required.link", "Sign in, then try again."),
)
_entry(
    problem("reconnect_required.other", "The agent’s sign-in to Genesys has expired."),
    next_step("reconnect_required.other", "Ask them to type `{command} connect`, then try again."),
)
_entry(
    problem("user_permission_missing", "Your Genesys account isn’t allowed to co-browse yet."),
    next_step("user_permission_missing", "Ask a colleague to take your customer."),
    contact=TELL,
)
_entry(
    problem("user_permission_missing.other", "The agent’s Genesys account isn’t allowed to co-browse yet."),
    contact=TELL,
)
_entry(
    problem("connect_off.needless", "You don’t need to sign in to Genesys here."),
    next_step("connect_off.needless", "Type `{command}` to start a session."),
    nothing_done=False,
)
_entry(
    problem("connect_off", "Signing in to Genesys isn’t set up yet."),
    next_step("connect_off", "Please ask {contact} to set it up."),
)
_entry(
    problem("not_connected", "You haven’t signed in to Genesys."),
    next_step("not_connected", "Type `{command} connect` to sign in."),
    nothing_done=False,
)
_entry(
    problem("connect_link_expired", "This sign-in link was used, is too old, or was replaced by a newer one."),
    next_step("connect_link_expired", "In Slack, type `{command} connect` for a new one."),
    nothing_done=False,
)
_entry(
    problem("connect_denied", "Access to your Genesys account was declined."),
    next_step("connect_denied", "If you didn’t mean to, type `{command} connect` in Slack for a new link."),
)
_entry(
    problem("connect_wrong_user", "This link is for another Genesys user."),
    next_step(
        "connect_wrong_user",
        "Sign out there, then type `{command} connect` in Slack. Was it your account? Ask {contact}.",
    ),
)
_entry(
    problem("connect_failed", "Genesys didn’t complete the sign-in."),
    next_step("connect_failed", "Type `{command} connect` in Slack for a new link, or tell {contact}."),
)

# Existing sessions.
_entry(
    problem("no_open_session", "You have no open session."),
    next_step("no_open_session", "Type `{command}` to start one."),
    nothing_done=False,
)
_entry(
    problem("no_open_session.never", "No sessions yet."),
    next_step("no_open_session.never", "Type `{command}` to start one."),
    nothing_done=False,
)
_entry(
    problem("no_open_session.other", "{person} has no open session. Nothing was ended."),
    nothing_done=False,
)
_entry(
    problem("several_open_sessions.other", "{person} has several open sessions. Nothing was ended."),
    next_step("several_open_sessions.other", "End the right one from `{command} list`."),
    nothing_done=False,
)
_entry(
    problem("session_not_found", "I can’t find that session."),
    next_step("session_not_found", "`{command} status` shows your open ones."),
    nothing_done=False,
)
_entry(
    problem("several_open_sessions", "Which session should I end?"),
    next_step("several_open_sessions", "Type `{command} end` to choose one."),
    nothing_done=False,
)
_entry(
    problem("already_ended", "This session has already ended."),
    next_step("already_ended", "Type `{command}` to start a new one."),
    nothing_done=False,
)
_entry(
    problem("already_ended.closed", "This session is already closed. Nobody else can join."),
    next_step("already_ended.closed", "Type `{command}` to start a new one."),
    nothing_done=False,
)
_entry(
    problem("already_shared", "It’s already posted in this channel."),
    next_step("already_shared", "Scroll up, or look again in a minute."),
    nothing_done=False,
)
_entry(
    problem("no_link_to_send", "This session has a code and no link."),
    next_step("no_link_to_send", "Read the code to your customer."),
)
_entry(
    problem("link_used_up", "The link was used, or it has expired."),
    next_step("link_used_up", "If your customer isn’t in the session, type `{command}` for a new one."),
    nothing_done=False,
)
_entry(
    problem("customer_joined", "Your customer has joined already."),
    next_step("customer_joined", "Nobody else can join by this link."),
    nothing_done=False,
)
_entry(
    problem("not_your_request", "Only the person who asked can try this again."),
    next_step("not_your_request", "Type `{command}` yourself."),
    nothing_done=False,
)
_entry(
    problem("already_retried", "This was already tried again."),
    next_step("already_retried", "Look for the answer here or in our direct messages."),
    nothing_done=False,
)
_entry(
    problem("request_forgotten", "I no longer have this request."),
    next_step("request_forgotten", "Type `{command}` again."),
    nothing_done=False,
)

# Sharing and messages.
_entry(
    problem("share_refused.outside", "This channel has people from other organizations, so I don’t post links here."),
    next_step("share_refused.outside", "Use another channel, or send your customer the link."),
    nothing_done=False,
)
_entry(
    problem("share_refused.unclear", "Slack doesn’t tell me who is in this channel, so I don’t post links here."),
    next_step("share_refused.unclear", "Use another channel, or send your customer the link."),
    nothing_done=False,
)
_entry(
    problem("share_refused.uninvited", "I can’t post here, because I’m not in this channel."),
    next_step("share_refused.uninvited", "Invite me to the channel, then share again."),
    nothing_done=False,
)
_entry(
    problem("share_refused", "Slack doesn’t let me post in this channel."),
    next_step("share_refused", "Use another channel, or send your customer the link."),
    nothing_done=False,
)
_entry(
    problem("share_refused.group", "I can’t post in a group message."),
    next_step("share_refused.group", "Copy the link or code and paste it here yourself."),
    nothing_done=False,
)
_entry(
    problem("share_refused.thread", "That message is gone, or takes no replies."),
    next_step("share_refused.thread", "Share the link in the channel instead."),
    nothing_done=False,
)
_entry(
    problem("share_refused.direct", "There is nobody here to share the link with."),
    next_step("share_refused.direct", "Type `{command} last` in a channel, and share it there."),
    nothing_done=False,
)
_entry(
    problem("share_outcome_unknown", "Slack didn’t answer, so the link may or may not be in the channel."),
    next_step("share_outcome_unknown", "Look there before you share it again."),
    nothing_done=False,
)
_entry(
    problem("share_outcome_unknown.direct", "Slack didn’t answer, so the link may or may not be in your messages."),
    next_step("share_outcome_unknown.direct", "Look in our direct messages before you try again."),
    nothing_done=False,
)
_entry(
    problem("message_not_posted.passes", "Slack didn’t accept my message."),
    next_step("message_not_posted.passes", "Try again in a minute."),
    nothing_done=False,
)
_entry(
    problem("message_not_posted", "Slack doesn’t accept my messages."),
    contact=TELL,
    nothing_done=False,
)

# Sending the link to a customer.
_entry(
    problem("sending_off.sms", "Sending texts isn’t set up here."),
    next_step("sending_off.sms", "Give your customer the link yourself, or ask {contact}."),
)
_entry(
    problem("sending_off.email", "Sending emails isn’t set up here."),
    next_step("sending_off.email", "Give your customer the link yourself, or ask {contact}."),
)
_entry(
    problem("invalid_address.none", "Where should I send it?"),
    next_step("invalid_address.none", "Add a mobile number or email address, like +14155550123 or name@example.com."),
)
_entry(
    problem("invalid_address.neither", "That isn’t a phone number or an email address."),
    next_step("invalid_address.neither", "Write it like +14155550123 or name@example.com."),
)
_entry(
    problem("invalid_address.country", "The country code is missing."),
    next_step("invalid_address.country", "Write the number like +14155550123."),
)
_entry(
    problem("invalid_address.number", "That phone number doesn’t exist."),
    next_step("invalid_address.number", "Check it, with its country code, like +14155550123."),
)
_entry(
    problem("invalid_address.sms", "That number can’t get texts."),
    next_step("invalid_address.sms", "Try a mobile number or an email address."),
)
_entry(
    problem("invalid_address.email", "That doesn’t look like an email address."),
    next_step("invalid_address.email", "Write it like name@example.com."),
)
_entry(
    problem("country_not_allowed", "I don’t text numbers in this country ({country})."),
    next_step("country_not_allowed", "Try an email address, or ask {contact} to allow this country."),
)
_entry(
    problem("country_not_allowed.none", "That number belongs to no country, so I don’t text it."),
    next_step("country_not_allowed.none", "Try another number or an email address."),
)
_entry(
    problem("text_too_long", "With the link, the message is too long to send."),
    next_step("text_too_long", "Give your customer the link yourself."),
    contact=TELL,
)
_entry(
    problem("conversation_active", "Your company is already texting with this customer."),
    next_step("conversation_active", "Paste the link into that conversation."),
)
