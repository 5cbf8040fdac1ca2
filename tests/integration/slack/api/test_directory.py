"""Slack users and groups: their relation to the workspace, and that a warm command needs no call to Slack."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.core.access import Workspace
from bot.core.errors import SlackUnavailableError
from bot.core.models import MembershipStatus
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.slack.api.directory import Readers, SlackDirectory, read_person
from bot.slack.messages.catalogue.sentence import Language
from tests.support.cases import each_case
from tests.support.slack_users import FLAGS, user

HOME = Workspace("T0HOME")
GRID = Workspace("T0HOME", "E0ORG", org_wide=True)


class Answer:
    """A response of slack_sdk, with the parts that the bot reads."""

    def __init__(self, data: object) -> None:
        self.data = data

    def get(self, key: str) -> object:
        return self.data.get(key) if isinstance(self.data, dict) else None


class Web:
    """Slack's Web API with `users` and `groups` in dictionaries. `trouble` is the error of every call."""

    def __init__(self) -> None:
        self.users = {"U0ANA": user()}
        self.groups: dict[str, list[str]] = {"S0SUP": ["U0BEN"]}
        self.trouble: Exception | None = None
        self.answer: object = None
        self.asked: list[tuple[str, str]] = []

    async def api_call(self, method: str, *, http_verb: str, params: dict[str, str]) -> Answer:
        assert http_verb == "GET"
        assert params.pop("include_locale", None) == ("true" if method == "users.info" else None)
        (wanted,) = params.values()
        self.asked.append((method, wanted))
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        if self.answer is not None:
            return Answer(self.answer)
        if method == "users.info":
            found = self.users.get(wanted)
            return Answer({"ok": True, "user": found}) if found else self.refuse("user_not_found")
        assert (method, list(params)) == ("usergroups.users.list", ["usergroup"])
        return Answer({"ok": True, "users": self.groups.get(wanted)})

    def refuse(self, code: str | None) -> Answer:
        raise SlackApiError("refused", Answer({"ok": False, "error": code}))


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@each_case(
    ("more", "standing"),
    [
        ({}, MembershipStatus.MEMBER),
        ({"is_admin": True, "is_owner": True}, MembershipStatus.MEMBER),
        ({"is_restricted": True}, MembershipStatus.GUEST),
        ({"is_restricted": True, "is_ultra_restricted": True}, MembershipStatus.GUEST),
        ({"is_ultra_restricted": True}, MembershipStatus.GUEST),
        ({"is_bot": True}, MembershipStatus.BOT),
        ({"is_workflow_bot": True}, MembershipStatus.BOT),
        ({"is_connector_bot": True}, MembershipStatus.BOT),
        ({"id": "USLACKBOT"}, MembershipStatus.BOT),
        ({"deleted": True}, MembershipStatus.DEACTIVATED),
        ({"is_stranger": True}, MembershipStatus.OUTSIDER),
        ({"team_id": "T0OTHER"}, MembershipStatus.OUTSIDER),
        ({"team_id": None}, MembershipStatus.OUTSIDER),
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0ORG", "teams": []}}, MembershipStatus.OUTSIDER),
        ({"team_id": "E0ORG", "enterprise_user": {"teams": ["T0X", "T0HOME"]}}, MembershipStatus.MEMBER),
        ({"is_stranger": True, "deleted": True}, MembershipStatus.OUTSIDER),
    ],
)
def test_only_a_full_member_of_ours_is_a_member(more, standing):
    assert read_person(user(**more), HOME).standing is standing


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0ORG"}}, MembershipStatus.MEMBER),
        ({"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0ELSE"}}, MembershipStatus.OUTSIDER),
        ({"team_id": "T0OTHER"}, MembershipStatus.OUTSIDER),
        ({"team_id": "T0HOME"}, MembershipStatus.MEMBER),
    ],
)
def test_an_org_wide_bot_knows_the_whole_organization(more, standing):
    assert read_person(user(**more), GRID).standing is standing


@each_case("flag", FLAGS)
@each_case("said", ["missing", None, 0, ""])
def test_a_person_of_whom_slack_does_not_say_it_all_is_no_member(flag, said):
    told = user(**{flag: said})
    if said == "missing":
        del told[flag]
    with pytest.raises(SlackUnavailableError) as refused:
        read_person(told, HOME)
    assert refused.value.slack_error == "an incomplete answer"


async def test_an_incomplete_answer_lets_nobody_in_and_is_not_kept():
    web = Web()
    del web.users["U0ANA"]["is_restricted"]
    people = SlackDirectory(web, HOME)
    with pytest.raises(SlackUnavailableError):
        await people.person("U0ANA")
    web.users["U0ANA"] = user()
    assert (await people.person("U0ANA")).standing is MembershipStatus.MEMBER


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({"deleted": True}, MembershipStatus.DEACTIVATED),
        ({"team_id": "T0OTHER"}, MembershipStatus.OUTSIDER),
        ({"is_stranger": True}, MembershipStatus.OUTSIDER),
        ({"is_bot": True}, MembershipStatus.BOT),
    ],
)
def test_a_person_of_whom_slack_says_little_keeps_their_refusal(more, standing):
    """For a deactivated user, Slack leaves out most fields."""
    told = {"id": "U0ANA", "team_id": "T0HOME", "name": "ana", **more}
    assert read_person(told, HOME).standing is standing


def test_an_organization_without_an_id_is_nobodys():
    lost = Workspace("T0HOME", None, org_wide=True)
    assert read_person(user(team_id="T0OTHER", enterprise_user={"x": 1}), lost).standing is MembershipStatus.OUTSIDER


@pytest.mark.parametrize(
    ("more", "email"),
    [
        ({}, None),
        ({"is_email_confirmed": True}, "ana@example.com"),
        ({"is_email_confirmed": False}, None),
        ({"is_email_confirmed": "true"}, None),
        ({"is_email_confirmed": True, "profile": {"email": ""}}, None),
        ({"is_email_confirmed": True, "profile": {"email": None}}, None),
        ({"is_email_confirmed": True, "profile": {"email": ["ana@example.com"]}}, None),
    ],
)
def test_only_an_address_that_slack_calls_confirmed_is_taken(more, email):
    assert read_person(user(**more), HOME).email == email


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "Ana Agent"),
        ({"profile": {"real_name": ""}, "real_name": "Ana R."}, "Ana R."),
        ({"profile": {"real_name": "", "display_name": "ana!"}}, "ana!"),
        ({"profile": {"real_name": ""}}, "ana"),
    ],
)
def test_a_person_has_the_name_that_slack_shows(more, name):
    assert read_person(user(**more), HOME).name == name


def test_an_address_is_in_no_repr():
    assert "example.com" not in repr(read_person(user(), HOME))


async def test_warm_command_asks_slack_nothing_and_a_late_one_does():
    web, clock = Web(), Clock()
    people = SlackDirectory(web, HOME, clock=clock)
    for _ in range(3):
        assert (await people.person("U0ANA")).standing is MembershipStatus.MEMBER
        assert await people.in_group("U0BEN", "S0SUP")
        assert not await people.in_group("U0ANA", "S0SUP")
    assert web.asked == [("users.info", "U0ANA"), ("usergroups.users.list", "S0SUP")]
    web.users["U0ANA"] = user(deleted=True)
    web.groups["S0SUP"] = ["U0ANA"]
    clock.now = SLACK_TIMING.people_cache_seconds + 1
    assert (await people.person("U0ANA")).standing is MembershipStatus.DEACTIVATED
    assert await people.in_group("U0ANA", "S0SUP")
    assert not await people.in_group("U0BEN", "S0SUP")


async def test_many_at_once_are_one_question():
    web = Web()
    people = SlackDirectory(web, HOME)
    await asyncio.gather(*(people.person("U0ANA") for _ in range(50)))
    assert web.asked == [("users.info", "U0ANA")]


async def test_whom_slack_does_not_know_is_an_outsider():
    person = await SlackDirectory(Web(), HOME).person("U0NOBODY")
    assert (person.standing, person.email, person.team_id) == (MembershipStatus.OUTSIDER, None, "")


@pytest.mark.parametrize("answer", [{"ok": True, "user": user(id="U0BEN")}, {"ok": True}, {"user": None}, [], b"x"])
async def test_an_answer_about_somebody_else_or_nobody_is_no_answer(answer):
    web = Web()
    web.answer = answer
    with pytest.raises(SlackUnavailableError):
        await SlackDirectory(web, HOME).person("U0ANA")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (SlackApiError("x", Answer({"error": "ratelimited"})), "ratelimited"),
        (SlackApiError("x", Answer({})), "an error"),
        (SlackClientError("xoxb-hush"), "no answer"),
        (aiohttp.ClientError("xoxb-hush"), "no answer"),
        (TimeoutError(), "no answer"),
        (ValueError("xoxb-hush"), "no answer"),
    ],
)
async def test_when_slack_cannot_say_that_is_told_and_not_kept(trouble, code):
    web = Web()
    web.trouble = trouble
    people = SlackDirectory(web, HOME)
    for look_up in (people.person("U0ANA"), people.in_group("U0ANA", "S0SUP")):
        with pytest.raises(SlackUnavailableError) as caught:
            await look_up
        assert caught.value.slack_error == code
        assert caught.value.__suppress_context__
    web.trouble = None
    assert (await people.person("U0ANA")).standing is MembershipStatus.MEMBER
    assert not await people.in_group("U0ANA", "S0SUP")


async def test_a_group_that_is_gone_has_nobody_in_it():
    web = Web()
    web.groups = {}
    assert not await SlackDirectory(web, HOME).in_group("U0BEN", "S0SUP")


LANGUAGES = {code: Language(code) for code in ("en", "de", "fr", "pt_BR")}


def readers(web: Web, forced: str = "", clock: Clock | None = None) -> Readers:
    """Return the readers of a workspace, with a separate directory."""
    timing = SlackTiming(name_timeout=0.05)
    return Readers(SlackDirectory(web, HOME, clock=clock or Clock()), LANGUAGES, forced, timing)


@pytest.mark.parametrize(
    ("locale", "code"), [("fr-FR", "fr"), ("pt-PT", "pt_BR"), ("it-IT", "en"), ("", "en"), (None, "en"), (["de"], "en")]
)
async def test_reader_has_the_language_of_their_locale(locale, code):
    web = Web()
    web.users["U0ANA"] = user(locale=locale)
    people = readers(web)
    assert people.known("U0ANA").code == "en"  # before Slack was asked
    for _ in range(3):
        await people.learn("U0ANA")
        assert people.known("U0ANA").code == code
    assert web.asked == [("users.info", "U0ANA")]


async def test_language_is_remembered_when_the_person_is_not():
    web, clock = Web(), Clock()
    web.users["U0ANA"] = user(locale="fr-FR")
    people = readers(web, clock=clock)
    await people.learn("U0ANA")
    clock.now = SLACK_TIMING.people_cache_seconds * 1000
    await people.learn("U0ANA")
    assert people.known("U0ANA").code == "fr"
    assert len(web.asked) == 1


async def test_forced_language_is_everybodys_and_asks_nothing():
    web = Web()
    web.users["U0ANA"] = user(locale="fr-FR")
    people = readers(web, "de")
    await people.learn("U0ANA")
    assert {people.known(reader).code for reader in ("U0ANA", "C0CARE", None)} == {"de"}
    assert web.asked == []


async def test_channel_and_nobody_read_the_default_language():
    web = Web()
    people = readers(web)
    for reader in ("C0CARE", "G0CARE", "", None):
        await people.learn(reader)
        assert people.known(reader).code == "en"
    assert web.asked == []


@pytest.mark.parametrize("trouble", [SlackApiError("x", Answer({"error": "ratelimited"})), aiohttp.ClientError("x")])
async def test_language_that_slack_does_not_say_is_the_default_one(trouble):
    web = Web()
    web.trouble = trouble
    people = readers(web)
    await people.learn("U0ANA")
    assert people.known("U0ANA").code == "en"


async def test_slow_slack_keeps_nobody_waiting_for_a_language():
    class SlowWeb(Web):
        async def api_call(self, method, **how):
            await asyncio.sleep(60)

    people = readers(SlowWeb())
    async with asyncio.timeout(1):
        await people.learn("U0ANA")
    assert people.known("U0ANA").code == "en"


# -- An Enterprise Grid organization --


class GridWeb:
    """Slack for an org-wide token: the workspaces, and the user groups by workspace; None refuses with that error."""

    def __init__(self, groups: dict[str, dict[str, list[str] | str]]) -> None:
        self.groups = groups
        self.users: dict[str, object] = {}
        self.trouble = ""
        self.asked: list[str] = []

    async def api_call(self, method: str, *, http_verb: str, params: dict[str, str]) -> Answer:
        assert http_verb == "GET"
        self.asked.append(params.get("team_id", method))
        if method == "users.info":
            return Answer({"ok": True, "user": self.users[params["user"]]})
        if method == "auth.teams.list" and self.trouble:
            raise SlackApiError("refused", Answer({"ok": False, "error": self.trouble}))
        if method == "auth.teams.list":
            return Answer({"ok": True, "teams": [{"id": each, "name": each} for each in self.groups]})
        assert method == "usergroups.users.list"
        found = self.groups[params["team_id"]].get(params["usergroup"], "no_such_subteam")
        if isinstance(found, str):
            raise SlackApiError("refused", Answer({"ok": False, "error": found}))
        return Answer({"ok": True, "users": found})


async def directory(web: "GridWeb", clock: Clock | None = None, **teams: list[str]) -> SlackDirectory:
    """The directory, which has looked people up already; `teams` are their workspaces."""
    web.users = {
        each: user(id=each, enterprise_user={"id": each, "enterprise_id": "E0ORG", "teams": own})
        for each, own in teams.items()
    }
    people = SlackDirectory(web, GRID, clock=clock or Clock())
    for each in teams:
        await people.person(each)
    web.asked.clear()
    return people


async def test_group_is_looked_for_in_the_own_workspace_first():
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}, "T0C": {}})
    people = await directory(web, U0BEN=["T0A", "T0B"])
    assert await people.in_group("U0BEN", "S0SUP", "T0B")
    assert web.asked == ["auth.teams.list", "T0B"]


async def test_group_is_looked_for_in_the_persons_workspaces_only():
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}, "T0C": {}, "T0D": {}})
    people = await directory(web, U0ANA=["T0A"], U0BEN=["T0B"])
    assert not await people.in_group("U0ANA", "S0SUP", "T0A")
    assert web.asked == ["auth.teams.list", "T0A", "T0B"]  # until one has it: the group exists
    assert people.peek_in_group("U0ANA", "S0SUP", "T0A") is False
    assert people.peek_in_group("U0BEN", "S0SUP", "T0A") is True


async def test_person_without_a_known_workspace_is_looked_for_in_all():
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}})
    people = await directory(web, U0BEN=[], U0ANA=["T0ELSE"])
    assert await people.in_group("U0BEN", "S0SUP", "T0A")
    assert not await people.in_group("U0ANA", "S0SUP", "T0A")


async def test_group_of_several_workspaces_has_the_members_of_all():
    web = GridWeb({"T0A": {"S0ALL": ["U0ANA"]}, "T0B": {"S0ALL": ["U0BEN"]}})
    people = await directory(web, U0BEN=["T0A", "T0B"])
    assert await people.members("S0ALL") == {"U0ANA", "U0BEN"}
    assert await people.in_group("U0BEN", "S0ALL", "T0A")


async def test_cache_knows_members_once_workspaces_are_known():
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}})
    people = await directory(web, U0ANA=["T0A"], U0BEN=["T0A", "T0B"])
    assert people.peek_in_group("U0BEN", "S0SUP", "T0A") is None
    assert await people.in_group("U0BEN", "S0SUP", "T0B")
    assert people.peek_in_group("U0BEN", "S0SUP", "T0A") is True
    assert people.peek_in_group("U0ANA", "S0SUP", "T0A") is None
    await people.in_group("U0ANA", "S0SUP", "T0A")
    before = len(web.asked)
    assert people.peek_in_group("U0ANA", "S0SUP", "T0A") is False
    assert len(web.asked) == before


async def test_groups_are_asked_for_again_where_they_are():
    clock = Clock()
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}})
    people = await directory(web, clock, U0BEN=["T0A", "T0B"])
    await people.members("S0SUP")
    clock.now = SLACK_TIMING.people_cache_seconds + 1
    await people.person("U0BEN")
    web.groups["T0B"]["S0SUP"] = []
    assert not await people.in_group("U0BEN", "S0SUP", "T0A")
    assert web.asked == ["auth.teams.list", "T0A", "T0B", "users.info", "T0B"]


@pytest.mark.parametrize("code", ["no_such_subteam", "team_not_found", "team_access_not_granted"])
async def test_group_that_no_workspace_shows_lets_nobody_in(code):
    people = await directory(GridWeb({"T0A": {"S0SUP": code}, "T0B": {"S0SUP": code}}), U0BEN=["T0A"])
    for ask in (people.in_group("U0BEN", "S0SUP", "T0A"), people.members("S0SUP")):
        with pytest.raises(SlackUnavailableError) as refused:
            await ask
        assert refused.value.slack_error == code
    assert people.peek_in_group("U0BEN", "S0SUP", "T0A") is None


async def test_group_that_was_deleted_since_lets_nobody_in():
    clock = Clock()
    web = GridWeb({"T0A": {"S0SUP": ["U0BEN"]}, "T0B": {}})
    people = await directory(web, clock, U0BEN=["T0A"])
    assert await people.in_group("U0BEN", "S0SUP", "T0A")
    del web.groups["T0A"]["S0SUP"]
    clock.now = SLACK_TIMING.people_cache_seconds + 1
    for ask in (people.members, people.members, lambda group: people.in_group("U0BEN", group, "T0A")):
        with pytest.raises(SlackUnavailableError):
            await ask("S0SUP")


async def test_known_workspaces_stay_while_slack_lists_none():
    clock = Clock()
    web = GridWeb({"T0A": {}, "T0B": {"S0SUP": ["U0BEN"]}})
    people = await directory(web, clock, U0BEN=["T0A", "T0B"])
    assert await people.in_group("U0BEN", "S0SUP", "T0A")
    clock.now = SLACK_TIMING.workspaces_cache_seconds + 1
    web.trouble = "internal_error"
    await people.person("U0BEN")
    assert await people.in_group("U0BEN", "S0SUP", "T0A")
    clock.now *= 2
    web.trouble = "invalid_auth"  # that is Slack's answer, and stays so
    await people.person("U0BEN")
    with pytest.raises(SlackUnavailableError):
        await people.in_group("U0BEN", "S0SUP", "T0A")


async def test_unreachable_workspace_neither_refuses_nor_admits():
    web = GridWeb({"T0A": {"S0SUP": ["U0BEN"]}, "T0B": {"S0SUP": "missing_scope"}})
    people = await directory(web, U0BEN=["T0A", "T0B"], U0ANA=["T0A", "T0B"])
    assert await people.in_group("U0BEN", "S0SUP", "T0A")
    with pytest.raises(SlackUnavailableError):
        await people.in_group("U0ANA", "S0SUP", "T0A")


@pytest.mark.parametrize("teams", [None, [], "T0A", [{}], [None]])
async def test_list_of_workspaces_of_another_shape_lets_nobody_in(teams):
    web = Web()
    web.answer = {"ok": True, "teams": teams}
    with pytest.raises(SlackUnavailableError):
        await SlackDirectory(web, GRID).in_group("U0BEN", "S0SUP", "T0A")


# -- One person, two ids --


@pytest.mark.parametrize(
    ("own", "grid_id", "known"),
    [
        ("U0ANA", "W0ANA", "U0ANA"),
        ("W0ANA", "U0ANA", "U0ANA"),
        ("U0ANA", "U0GRID", "U0ANA"),
        ("W0ANA", "W0ANA", "W0ANA"),
    ],
)
def test_person_has_one_main_id_whichever_slack_gives_first(own, grid_id, known):
    person = read_person(
        user(id=own, enterprise_user={"id": grid_id, "enterprise_id": "E0ORG", "teams": ["T0A"]}), GRID
    )
    assert person.user_id == known
    assert set(person.ids) == {own, grid_id}
    assert person.team_ids == ("T0HOME", "T0A")


async def test_look_up_by_one_id_answers_for_both():
    web = Web()
    web.users["W0ANA"] = user(enterprise_user={"id": "W0ANA", "enterprise_id": "E0ORG"})
    people = SlackDirectory(web, Workspace("T0HOME", "E0ORG"))
    assert people.known_id("W0ANA") == "W0ANA"
    assert (await people.person("W0ANA")).user_id == "U0ANA"
    assert people.known_id("W0ANA") == people.known_id("U0ANA") == "U0ANA"
    assert people.peek_person("U0ANA") is await people.person("W0ANA")
    assert web.asked == [("users.info", "W0ANA")]
