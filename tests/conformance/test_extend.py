"""Rules and probes from a user's own file: what is loaded, and what is refused with its line."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance import extend
from conformance.extend import OURS, load
from conformance.probes import PROBES
from conformance.rule import Level
from conformance.rules import BOOK
from conformance.target import ConfigurationError

HEAD = """\
from conformance.asked import chat
from conformance.probe import Probe, Role, Step
from conformance.rule import ANYTHING, Finding, Level, On, rule

def law(exchange):
    \"\"\"It holds.\"\"\"
    return ()

"""
AT = HEAD.count("\n")  # lines before what a test writes


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


def test_without_any_the_book_is_our_own() -> None:
    ours = load(())
    assert (ours.rules, ours.probes, ours.record) == (BOOK, PROBES, ())


def test_a_file_adds_to_the_book_and_nothing_of_it_stays(tmp_path: Path) -> None:
    text = 'rule("acme.a", Level.MUST, cites="x", on=chat)(law)\nPROBES = [Probe("acme.p", Role.CHAT, body={"n": 1})]\n'
    word = written(tmp_path, text)
    for _ in range(2):  # a file is loaded as new each time
        book = load((word, word))
        assert list(book.rules)[-1] == "acme.a"
        assert list(book.probes)[-1] == "acme.p"
        assert [source.name for source in book.sources] == ["mine.py"]
    assert "acme.a" not in BOOK
    assert "acme.p" not in PROBES
    [record] = book.record
    assert record["rules"] == {"acme.a": Level.MUST.value}
    assert record["probes"] == ["acme.p"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", str(record["digest"]))
    assert str(tmp_path) not in str(record), "a run holds no path of this machine"


# what a file says → what is told of it, the first line of the test's own being line 1
WRONG = {
    "def f(:\n": "mine.py:1: SyntaxError: ",
    "x = 1\nraise KeyError('no\\nsuch')\n": "mine.py:2: KeyError: ",
    "import sys\nsys.exit(3)\n": "mine.py:2: SystemExit: 3",
    "import no_such_module_of_anybody\n": "mine.py:1: ModuleNotFoundError: ",
    'rule("acme.a", Level.MUST, cites="x", on=chat)(lambda e: ())\n': "mine.py:1: CatalogueError: rule 'ac",
    'r = rule("acme.a", Level.MUST, cites="x", on=chat)\nr(law)\nr(law)\n': "mine.py:3: CatalogueError: rule 'ac",
    'rule("chat.mine", Level.MUST, cites="x", on=chat)(law)\n': "mine.py:-3: the rule 'chat.mine': 'chat' is a nam",
    'rule("fuzz.mine", Level.MUST, cites="x", on=chat)(law)\n': "mine.py:-3: the rule 'fuzz.mine': 'fuzz' is a nam",
    'rule("acme", Level.MUST, cites="x", on=chat)(law)\n': "mine.py:-3: 'acme' is no name of a rule",
    'rule(7, Level.MUST, cites="x", on=chat)(law)\n': "mine.py:-3: 7 is no name of a rule",
    'rule("acme.a", "HARD", cites="x", on=chat)(law)\n': "mine.py:-3: the rule 'acme.a': 'HARD' is not a Level",
    'rule("acme.a", Level.MUST, cites="x", on=len)(law)\n': "mine.py:-3: the rule 'acme.a': <built-in ",
    'rule("acme.a", Level.MUST, cites="x", on=chat, over="ab")(law)\n': "mine.py:-3: the rule 'acme.a': over=",
    'rule("acme.a", Level.MUST, cites="x",\n  on=On("odd", lambda e: 1 / 0))(law)\n': "mine.py:2: the rule",
    "PROBES = 7\n": "mine.py: PROBES is no list of probes: 7",
    "PROBES = [7]\n": "mine.py: PROBES holds 7, which is no Probe",
    'PROBES = [Probe("chat.mine", Role.CHAT)]\n': "mine.py: the probe 'chat.mine': 'chat' is a name",
    'PROBES = [Probe("acme.p", Role.CHAT)] * 2\n': "mine.py: the probe 'acme.p' stands twice",
    'PROBES = [Probe("acme.p", Role.CHAT, body={"x": {1, 2}})]\n': "mine.py: the probe 'acme.p' cannot be asked: Ty",
}


@pytest.mark.parametrize(("text", "told"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_told_in_a_line_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    word = written(tmp_path, text)
    line = re.search(r":(-?\d+):", told)
    expected = told.replace(line[0], f":{AT + int(line[1])}:", 1) if line else told
    with pytest.raises(ConfigurationError) as raised:
        load((word,))
    assert str(raised.value).startswith(expected)
    assert "\n" not in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_two_files_may_not_take_one_name(tmp_path: Path) -> None:
    one, other = (
        written(tmp_path, 'rule("acme.a", Level.MUST, cites="x", on=chat)(law)\n', n) for n in ("a.py", "b.py")
    )
    with pytest.raises(ConfigurationError, match=r"b\.py: another file has a rule 'acme\.a' too"):
        load((one, other))


@pytest.mark.parametrize("word", ["nowhere.py", "acme"])
def test_what_is_not_there_is_told(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=f"--extend {word}: "):
        load((word,))


def test_an_entry_point_names_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 'rule("acme.a", Level.MUST, cites="x", on=chat)(law)\n', "acme_relay_rules.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(extend, "entry_points", lambda group: [SimpleNamespace(name="acme", module="acme_relay_rules")])
    try:
        for _ in range(2):
            assert "acme.a" in load(("acme",)).rules
    finally:
        sys.modules.pop("acme_relay_rules", None)
    with pytest.raises(ConfigurationError, match=r"an entry point of 'relayproof' \(acme\)"):
        load(("acne",))


def test_every_chapter_of_ours_is_kept_from_others() -> None:
    assert {rule.chapter for rule in BOOK.values()} <= OURS
    assert {"fuzz", "run", "video", "gemini"} <= OURS
