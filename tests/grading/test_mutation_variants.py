"""Students' own tests may be right for another legal form than the reference's.

The assignment is a made-up one: a rectangle whose sides come as (width, height) in the reference
and as (height, width) in a legal variant, and a mean that may be a sum.
"""

from __future__ import annotations

import pytest

from autograder.grading.student_tests import Mutation
from autograder.records import FULL_CREDIT
from autograder.reference.legal_variants import LegalVariant, LegalVariantError, forms, load
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Limits

REFERENCE = {
    "shapes.py": b"""
class Box:
    def __init__(self, width, height):
        self.sides = (width, height)

    def area(self):
        return self.sides[0] * self.sides[1]
""",
    "sums.py": b"""
def total(numbers):
    return sum(numbers) / len(numbers)
""",
    "tools.py": b"""
def near(a, b):
    return abs(a - b) < 1e-9
""",
    "test_all.py": b"",
}
EDITS = [
    ("shapes", "Box.__init__", "(width, height)\n", "(width, width)\n"),
    ("shapes", "Box.area", "self.sides[0] * self.sides[1]", "self.sides[0] + self.sides[1]"),
    ("sums", "total", "sum(numbers)", "max(numbers)"),
]
CATALOGUE = [
    Misconception(
        id=f"mistake-{number}",
        module=module,
        where=where,
        replace=before,
        by=after,
        fails=["a"],
        says="It is wrong.",
    )
    for number, (module, where, before, after) in enumerate(EDITS)
]
VARIANTS = [
    LegalVariant(
        id="height-first",
        module="shapes",
        append="_Box = Box\n\n\nclass Box(_Box):\n    def __init__(self, width, height):\n"
        "        super().__init__(width, height)\n        self.sides = self.sides[::-1]\n",
    ),
    LegalVariant(
        id="sum",
        module="sums",
        append="_total = total\n\n\ndef total(numbers):\n"
        "    return _total(numbers) * len(numbers)\n",
    ),
]
HOMES = {"sums.py": ["shapes.py"], "tools.py": ["test_all.py"]}
MUTATION = Mutation("a", "test_all.py", REFERENCE, CATALOGUE, VARIANTS, HOMES)
LIMITS = Limits(request_seconds=5.0, memory_mb=400, output_kb=64)

HEAD = "from shapes import Box\nfrom sums import total\n"
AREA = "def test_area():\n    assert Box(2, 5).area() == 10\n"
SIDES = "def test_sides():\n    assert Box(2, 5).sides == {}\n"
TOTAL = "def test_total():\n    assert total([1, 2, 6]) == {}\n"


@pytest.fixture
def examine(confinement):
    def examine(source: str, **more: str):
        files = {"test_all.py": source, **{f"{name}.py": text for name, text in more.items()}}
        encoded = {name: text.encode() for name, text in files.items()}
        return MUTATION.examine(confinement, encoded, LIMITS)

    return examine


def credits_of(results):
    return [result.credit for result in results]


@pytest.mark.parametrize("sides", ["(2, 5)", "(5, 2)"])
@pytest.mark.parametrize("total", ["3", "9"])
def test_each_legal_form_gets_everything(examine, sides, total):
    """Also where the tests of two things have the other form both, in one test or in two."""
    apart = HEAD + AREA + SIDES.format(sides) + TOTAL.format(total)
    together = f"{HEAD}def test_both():\n    assert Box(2, 5).sides == {sides}\n"
    together += f"    assert Box(2, 5).area() == 10\n    assert total([1, 2, 6]) == {total}\n"
    for source in (apart, together):
        assert credits_of(examine(source)) == [FULL_CREDIT, FULL_CREDIT]


def test_what_is_right_in_no_form_is_wrong(examine):
    correct, mistakes = examine(HEAD + AREA + TOTAL.format(4))
    assert correct.message.startswith("1 of your 2 tests fail on correct solutions")
    assert "notice 2 of 3 wrong" in mistakes.message


def test_tests_that_notice_nothing_in_their_form_get_nothing(examine):
    idle = "def test_idle():\n    assert Box(2, 5).sides[1] == 2\n    assert total([0, 0]) == 0\n"
    results = examine(HEAD + idle.replace("sides[1] == 2", "sides[:1] != (2,)"))
    assert results[1].credit < FULL_CREDIT


def test_a_name_may_be_imported_from_its_other_home(examine):
    source = "from shapes import Box, total\n" + AREA + SIDES.format("(2, 5)") + TOTAL.format(3)
    assert credits_of(examine(source)) == [FULL_CREDIT, FULL_CREDIT]
    source = "from shapes import *\n" + AREA + SIDES.format("(5, 2)") + TOTAL.format(9)
    assert credits_of(examine(source)) == [FULL_CREDIT, FULL_CREDIT]


CHECKS = """
def equal(a, b):
    return abs(a - b) < 1e-9
"""
USES = """
def test_total():
    assert equal(total([1, 2, 6]), 3)

def test_area():
    assert equal(Box(2, 5).area(), 10)

def test_sides():
    assert equal(Box(2, 5).sides[0], 2)
    assert equal(Box(2, 5).sides[1], 5)
"""


def test_checks_may_be_defined_beside_the_tests(examine):
    assert credits_of(examine(HEAD + CHECKS + USES)) == [FULL_CREDIT, FULL_CREDIT]


def test_checks_of_their_own_module_may_have_names_of_their_own(examine):
    """A module whose names may stand in the test file is the student's own, if need be."""
    source = f"{HEAD}from tools import equal\n{USES}"
    assert credits_of(examine(source, tools=CHECKS)) == [FULL_CREDIT, FULL_CREDIT]
    assert credits_of(examine(source)) == [0, 0]


def test_their_own_solution_is_no_form(examine):
    """A wrong test that passes on the student's own wrong module is wrong."""
    source = HEAD + AREA + TOTAL.format(4)
    correct, _ = examine(source, sums="def total(numbers):\n    return 4\n")
    assert correct.message.startswith("1 of your 2 tests fail on correct solutions")


def test_forms_are_all_combinations_the_references_own_first():
    assert [[part.id for part in form] for form in forms(VARIANTS)] == [
        [],
        ["height-first"],
        ["sum"],
        ["height-first", "sum"],
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[variant]]\nid = 1", "id"),
        ("[[variant", "Expected"),
        ('[[variant]]\nid = "a"\nmodule = "b"\nappend = "x"', "there is no b.py"),
        ('[[variant]]\nid = "a"\nmodule = "m"\nappend = "x ="', "invalid syntax"),
        ('[[variant]]\nid = "a"\nmodule = "m"\nreplace = "x"', "stand once in m.py"),
    ],
)
def test_a_wrong_file_of_variants_is_refused(tmp_path, text, says):
    (tmp_path / "m.py").write_text("")
    assert load(tmp_path) == []
    (tmp_path / "legal_variants.toml").write_text(text)
    with pytest.raises(LegalVariantError, match=says):
        load(tmp_path)
