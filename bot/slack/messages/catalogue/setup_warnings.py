"""Hold the warnings about a set-up that works but can be improved, for the administrators' Home tab (pure)."""

from dataclasses import dataclass

from bot.slack.messages.catalogue.sentence import Language, Sentence, fault

NO_HOST_RULE = fault(
    "warning.no_host_rule",
    "`COBROWSE_MATCH_EMAIL` is off, and `COBROWSE_HOSTS_FILE` is not set. Only people whom you connect can start.",
)
NOBODY_LISTED = fault("warning.nobody_listed", "The file in `COBROWSE_HOSTS_FILE` lists nobody.")
NO_MEMBERS = fault(
    "warning.no_members", "`COBROWSE_MEMBERS` is empty. Every full member of the workspace may start sessions."
)
NO_SUPERVISORS = fault(
    "warning.no_supervisors", "`COBROWSE_SUPERVISORS` is empty. Only administrators may start sessions for others."
)
NO_CONTACT = fault(
    "warning.no_contact",
    "`COBROWSE_HELP_CONTACT` and `COBROWSE_ADMINS` are empty. I tell nobody about faults, and people don’t know who to "
    "ask.",
)
NO_SIGN_IN = fault(
    "warning.no_sign_in",
    "`GENESYS_CONNECT_CLIENT_ID` is set, but nobody can sign in to Genesys. `cobrowse-bot check` says why.",
)
NOT_ENCRYPTED = fault(
    "warning.not_encrypted", "`STORE_ENCRYPTION_KEY` is empty. Postgres holds customers’ links in readable form."
)
IN_MEMORY = fault("warning.in_memory", "`DATABASE_URL` is `memory:`. I forget everything when I restart.")
SCOPE_MISSING = fault(
    "warning.scope_missing",
    "Slack hasn’t granted me the scope `{scope}`. Update the app’s manifest in Slack, then install the app again.",
)


@dataclass(frozen=True, slots=True)
class SetupWarning:
    """A warning about the set-up. `scope` is the Slack scope that is missing; "" for a warning about something else."""

    sentence: Sentence
    scope: str = ""

    def words(self, language: Language) -> str:
        """Return the warning as one line in `language`: plain text for a Language with `plain=True`, else mrkdwn."""
        return language.say(self.sentence, scope=self.scope)
