"""Test regions in the forms in which people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.genesys.regions import urls
from tests.support.cases import each_case

REGIONS = """us-east-1 mypurecloud.com · eu-west-1 mypurecloud.ie · ap-southeast-2 mypurecloud.com.au ·
ap-northeast-1 mypurecloud.jp · eu-central-1 mypurecloud.de · us-west-2 usw2.pure.cloud · ca-central-1 cac1.pure.cloud ·
ap-northeast-2 apne2.pure.cloud · eu-west-2 euw2.pure.cloud · ap-south-1 aps1.pure.cloud ·
us-east-2 use2.us-gov-pure.cloud · sa-east-1 sae1.pure.cloud · me-central-1 mec1.pure.cloud ·
ap-northeast-3 apne3.pure.cloud · eu-central-2 euc2.pure.cloud · mx-central-1 mxc1.pure.cloud ·
ap-southeast-1 apse1.pure.cloud · eusc-de-east-1 edee1.eusc-pure.cloud"""
PAIRS = [tuple(pair.split()) for pair in REGIONS.split("·")]
FORMS = ["{}", " {} ", "api.{}", "login.{}", "apps.{}", "https://{}", "https://login.{}/", "http://api.{}/api/v2?x=1"]


@each_case(("name", "domain"), PAIRS)
def test_every_region_of_the_contract_is_known_by_name(name, domain):
    assert urls(name) == urls(name.upper()) == (f"https://api.{domain}", f"https://login.{domain}")


@each_case("form", FORMS)
@each_case("domain", [domain for _, domain in PAIRS])
def test_every_domain_is_taken_in_every_way_people_write_it(form, domain):
    written = form.format(domain)
    assert urls(written) == urls(written.upper()) == (f"https://api.{domain}", f"https://login.{domain}")


@each_case(
    "region",
    [
        "",
        " ",
        "us west 2",
        "us-west-9",
        "mypurecloud",
        "https://",
        ".com",
        "a..b",
        "-a.com",
        "a-.com",
        "mypurecloud.com.",
        "user@mypurecloud.com",
        "mypurecloud.com:444",
        "mypurecloud.com\\evil",
        "mypürecloud.com",
        "usw2.pure.cloud#x",
        "1.2.3.4",
        "mypurecloud.com evil.com",
        "mypurecloud.com\nevil.com",
    ],
)
def test_an_unknown_region_is_refused_in_a_sentence(region):
    with pytest.raises(ValueError, match="neither a Genesys Cloud region"):
        urls(region)


def test_a_wrong_region_is_shown_cut():
    with pytest.raises(ValueError, match="neither") as caught:
        urls("x" * 1000)
    assert len(str(caught.value)) < 200


@given(st.text() | st.text(alphabet="abz019.-/:@ #?\n").map(lambda text: f"a.{text}.com"))
def test_any_text_gives_two_plain_https_urls_or_a_sentence(region):
    try:
        api, login = urls(region)
    except ValueError:
        return
    domain = api.removeprefix("https://api.")
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", domain)
    assert login == f"https://login.{domain}"
