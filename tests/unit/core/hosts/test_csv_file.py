"""The hosts file: it maps Slack users to hosts, or every bad line is reported with its number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.hosts.csv_file import HostsFileError, parse

HEADER = "slack_user_id,genesys_user_id"
ANA, BEN = "2f7b0c9e-0000-4000-8000-00000000000a", "2f7b0c9e-0000-4000-8000-00000000000b"


def faults(text: str) -> list[str]:
    with pytest.raises(HostsFileError) as caught:
        parse(text)
    return caught.value.faults


def test_each_line_maps_one_person_in_any_team_or_in_one():
    text = f"{HEADER},team_id\nU0ANA,{ANA},\nU0ANA,{BEN},T0TWO\nW0BEN,{BEN.upper()},\n"
    assert parse(text) == {(None, "U0ANA"): ANA, ("T0TWO", "U0ANA"): BEN, (None, "W0BEN"): BEN}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\nU0ANA,{ANA}\n",
        f"{HEADER}\nU0ANA,{ANA}",
        f"\ufeff{HEADER}\r\nU0ANA,{ANA}\r\n\r\n",
        f"{HEADER}\rU0ANA,{ANA}\r",
        f'"slack_user_id", genesys_user_id \n "U0ANA" , "{ANA}" \n',
        f"{HEADER},team_id\nU0ANA,{ANA}\n",
    ],
)
def test_files_are_read_as_spreadsheets_and_people_write_them(text):
    assert parse(text) == {(None, "U0ANA"): ANA}


def test_a_file_with_only_a_header_maps_nobody():
    assert parse(f"{HEADER}\n") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"U0ANA,{ANA}\n",
        f"{HEADER};team_id\n",
        "genesys_user_id,slack_user_id\n",
        f"{HEADER},team_id,x\n",
        "\x00",
    ],
)
def test_another_header_is_refused_and_the_right_one_shown(text):
    (line,) = faults(text)
    assert line.startswith("line 1: ")
    assert "slack_user_id,genesys_user_id,team_id" in line


def test_every_bad_line_is_reported_with_its_number_alone():
    text = f"{HEADER},team_id\nana,{ANA},\nU0BEN,{BEN},\nU0CAT,not-a-uuid,\n\n"
    text += f"U0DOG,{ANA},C0DESK\nU0ELK,{ANA},T0TWO,x\nx,y,z\n"
    lines = faults(text)
    assert [line.partition(":")[0] for line in lines] == [f"line {n}" for n in (2, 4, 6, 7, 8, 8, 8)]
    for line, wrong in zip(
        lines, ["'ana'", "'not-a-uuid'", "'C0DESK'", "too many columns", "'x'", "'y'", "'z'"], strict=False
    ):
        assert wrong in line


def test_person_listed_twice_is_reported_with_both_lines():
    (line,) = faults(f"{HEADER}\nU0ANA,{ANA}\nU0BEN,{BEN}\nU0ANA,{ANA}\n")
    assert line == "line 4: U0ANA stands in line 2 already"


@pytest.mark.parametrize("uuid", ["", "0", ANA[:-1], ANA + "0", ANA.replace("-", ""), "{" + ANA + "}", "g" + ANA[1:]])
def test_text_that_is_no_uuid_is_no_host(uuid):
    assert len(faults(f"{HEADER}\nU0ANA,{uuid}\n")) == 1


@pytest.mark.parametrize("user", ["", "U", "u0ana", "S0SUP", "C0DESK", "@ana", "<@U0ANA>", "U0ANA\u200b"])
def test_answer_without_a_slack_user_is_nobody(user):
    assert len(faults(f"{HEADER}\n{user},{ANA}\n")) == 1


def test_wrong_value_is_shown_cut():
    assert all(len(line) < 150 for line in faults(f"{HEADER}\n{'x' * 9000},{'y' * 9000}\n"))


@pytest.mark.parametrize(
    "text", ["x" * 200_000, f"{HEADER}\n" + "x" * 200_000, f"{HEADER}\nU0ANA,{ANA}\n" + "x" * 200_000]
)
def test_a_field_longer_than_any_is_a_fault_with_its_line(text):
    assert f"line {text.count(chr(10)) + 1}: " in faults(text)[-1]


@given(st.text(alphabet='U0A",\n\r\x00 ;é-', max_size=80).map(lambda rest: f"{HEADER}\n{rest}") | st.text())
def test_file_is_read_or_refused_line_by_line(text):
    faults = ["line 0: none"]
    hosts: dict[object, str] = {}
    try:
        hosts |= parse(text)
    except HostsFileError as bad:
        faults = bad.faults
    assert faults
    assert all(line.startswith("line ") for line in faults)
    assert all(len(host) == 36 for host in hosts.values())
