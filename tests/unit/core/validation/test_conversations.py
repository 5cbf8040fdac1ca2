"""Pasted ids and URLs of conversations, and operators' templates for join URLs: what is accepted, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import settings
from bot.core.models import RequestKind
from bot.core.validation.conversations import GenesysApp
from bot.core.validation.display import parse_template
from bot.genesys import regions
from bot.slack.command_parser import Ambiguity, Choice, NotUnderstood, Query, Reason, Start, parse
from tests.support.cases import each_case
from tests.support.settings import HTTP, SOCKET, faults, named

ONE, OTHER = "3f2b8c1d-7744-4a55-9a0e-2f4f3f0c9a01", "3f2b8c1d-7744-4a55-9a0e-2f4f3f0c9a02"
APP = GenesysApp("apps.usw2.pure.cloud")
HOME = "https://apps.usw2.pure.cloud"
CODE = "{joinCode}"


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        ONE.upper(),
        f"{HOME}/directory/#/engage/admin/interactions/{ONE}",
        f"{HOME}/directory/#/engage/admin/interactions/{ONE.upper()}/details",
        f"{HOME}/directory/#/analytics/interactions/{ONE}/admin/timeline?tabId={OTHER}",
        f"https://APPS.usw2.pure.cloud:443/directory/#/analytics/interactions/{ONE}/admin",
    ],
)
def test_an_id_and_the_apps_own_addresses_name_a_conversation(text: str) -> None:
    assert APP.conversation_id(text) == ONE


@each_case(
    "text",
    [
        "",
        "Checkout",
        ONE[:-1],
        f"{ONE}0",
        f"https://apps.mypurecloud.com/directory/#/engage/admin/interactions/{ONE}",
        f"https://apps.usw2.pure.cloud.evil.example/directory/#/interactions/{ONE}",
        f"https://evil.example/apps.usw2.pure.cloud/{ONE}",
        f"https://apps.usw2.pure.cloud@evil.example/{ONE}",
        f"https://somebody@apps.usw2.pure.cloud/directory/#/interactions/{ONE}",
        f"https://apps.usw2.pure.cloud:8443/directory/#/interactions/{ONE}",
        f"http://apps.usw2.pure.cloud/directory/#/interactions/{ONE}",
        f"//apps.usw2.pure.cloud/directory/#/interactions/{ONE}",
        f"{HOME}/directory/?tabId={ONE}#/analytics/interactions",
        f"{HOME}/directory/#/analytics/interactions?tabId={ONE}",
        f"{HOME}/directory/#/interactions/{ONE}/{OTHER}",
        f"{HOME}/directory/#/interactions/x{ONE}",
        f"{HOME}/directory/#/interactions/{ONE}\n",
        f"{HOME}/{'x' * 1000}/{ONE}",
        "https://[apps",
    ],
)
def test_nothing_else_does(text: str) -> None:
    assert APP.conversation_id(text) is None


@given(st.text(max_size=120))
def test_whatever_is_pasted_is_one_id_or_none(text: str) -> None:
    for app in (APP, GenesysApp()):
        assert app.conversation_id(text) is None or len(text) >= 36


def test_without_a_region_only_ids_are_understood() -> None:
    assert GenesysApp().conversation_id(ONE) == ONE
    assert GenesysApp().conversation_id(f"{HOME}/directory/#/interactions/{ONE}") is None


@pytest.mark.parametrize(
    ("region", "host"), [("us-west-2", "apps.usw2.pure.cloud"), ("https://login.mypurecloud.de", "apps.mypurecloud.de")]
)
def test_each_region_has_an_app_of_its_own(region: str, host: str) -> None:
    assert regions.apps_host(region) == host
    loaded = settings.load(SOCKET | {"GENESYS_REGION": region, "GENESYS_COBROWSE_API": "conversations"})
    assert loaded.service.conversations
    assert loaded.service.conversations.app.host == host


# -- typed after the command --


@each_case(
    ("text", "command"),
    [
        (ONE, Start(conversation_id=ONE)),
        (f"{ONE} Checkout help", Start(name="Checkout help", conversation_id=ONE)),
        (f"<{HOME}/directory/#/interactions/{ONE}>", Start(conversation_id=ONE)),
        (
            f"<{HOME}/directory/#/interactions/{ONE}?a=b&amp;c|{HOME}/… here> Refund",
            Start(name="Refund", conversation_id=ONE),
        ),
        (f"{HOME}/directory/#/interactions/{ONE}", Start(conversation_id=ONE)),
        (f"<@U0BEN|ben> {ONE} Checkout", Start(target="U0BEN", name="Checkout", conversation_id=ONE)),
        (f"for <@U0BEN>   <{HOME}/directory/#/interactions/{ONE}>", Start(target="U0BEN", conversation_id=ONE)),
        (f'"{ONE}"', Start(name=ONE)),
        (f"Case {ONE}", Start(name=f"Case {ONE}")),
        ("see <https://x.example/a|the page>", Start(name="see the page")),
        ("", Start()),
        ("help", Query(RequestKind.HELP)),
        (f"end {ONE}", Query(RequestKind.END, None, ONE)),
        ("<https://x.example/a|the page>", NotUnderstood(Reason.NO_CONVERSATION)),
        (f"https://apps.mypurecloud.com/directory/#/interactions/{ONE}", NotUnderstood(Reason.NO_CONVERSATION)),
        (f"<@U0BEN> <https://x.example/{ONE}>", NotUnderstood(Reason.NO_CONVERSATION)),
        (
            f"{ONE} for <@U0BEN|ben>",
            Choice(
                Ambiguity.PERSON,
                (Start(target="U0BEN", conversation_id=ONE), Start(name="for @ben", conversation_id=ONE)),
                "@ben",
            ),
        ),
    ],
)
def test_a_conversation_may_stand_where_the_name_begins(text: str, command: object) -> None:
    assert parse(text, APP) == command


@pytest.mark.parametrize("text", [ONE, f"{HOME}/directory/#/interactions/{ONE}", f"<{HOME}/{ONE}>"])
def test_conversation_words_are_a_name_for_plain_sessions(text: str) -> None:
    command = parse(text)
    assert isinstance(command, Start)
    assert command.conversation_id is None
    assert command.name
    assert ONE in command.name


# -- set by the operator --


@pytest.mark.parametrize("code", ["123456789", "a b&c#d/e?f=%25", "ünï", "{joinCode}", "{0.__class__}", "%s"])
def test_a_code_stands_encoded_in_the_fragment(code: str) -> None:
    from urllib.parse import unquote, urlsplit

    url = parse_template(f"https://help.example.com/cobrowse?lang=en#code={CODE}&x").url(code)
    parts = urlsplit(url)
    assert (parts.hostname, parts.path, parts.query) == ("help.example.com", "/cobrowse", "lang=en")
    assert unquote(parts.fragment.removeprefix("code=").removesuffix("&x")) == code
    assert not set(url) & set(' {}"<>|')


@each_case(
    ("template", "wrong"),
    [
        ("https://help.example.com/cobrowse", "exactly once"),
        (f"https://help.example.com/#{CODE}{CODE}", "exactly once"),
        ("https://help.example.com/#{joincode}", "exactly once"),
        (f"https://help.example.com/{{lang}}#{CODE}", "no other braces"),
        (f"https://help.example.com/?code={CODE}", "behind the #"),
        (f"https://help.example.com/{CODE}#here", "behind the #"),
        (f"https://{CODE}.example.com/#x", "behind the #"),
        (f"http://help.example.com/#{CODE}", "https"),
        (f"javascript:alert(1)#{CODE}", "https"),
        (f"help.example.com#{CODE}", "https"),
        (f"https://user:hush@help.example.com/#{CODE}", "https"),
        (f"https://help.example.com/a b#{CODE}", "https"),
        (f"https://[help/#{CODE}", "https"),
    ],
)
def test_a_template_that_would_not_do_is_a_fault_at_start(template: str, wrong: str) -> None:
    (line,) = faults(HTTP | {"COBROWSE_JOIN_URL_TEMPLATE": template, "GENESYS_COBROWSE_API": "conversations"})
    assert line.startswith("COBROWSE_JOIN_URL_TEMPLATE: ")
    assert wrong in line
    assert "hush" not in line


def test_settings_choose_the_service_and_show_their_faults() -> None:
    chosen = {
        "GENESYS_COBROWSE_API": "Conversations",
        "GENESYS_DEPLOYMENT_ID": ONE.upper(),
        "COBROWSE_JOIN_URL_TEMPLATE": f"https://help.example.com/#{CODE}",
    }
    loaded = settings.load(HTTP | chosen).service.conversations
    assert loaded
    assert loaded.joining.deployment_id == ONE
    assert loaded.joining.template
    assert settings.load(HTTP).service.conversations is None
    assert settings.load(HTTP | chosen | {"GENESYS_COBROWSE_API": "sessions"}).service.conversations is None
    wrong = {"GENESYS_DEPLOYMENT_ID": "web", "COBROWSE_JOIN_URL_TEMPLATE": "x", "GENESYS_COBROWSE_API": "x"}
    assert named(faults(HTTP | wrong)) == set(wrong)


def test_a_template_survives_being_written_into_a_file(tmp_path, monkeypatch) -> None:  # its # begins no comment
    (tmp_path / ".env").write_text(f"COBROWSE_JOIN_URL_TEMPLATE=https://help.example.com/cobrowse#{CODE}\n")
    monkeypatch.chdir(tmp_path)
    assert settings.environment()["COBROWSE_JOIN_URL_TEMPLATE"].endswith(f"/cobrowse#{CODE}")
