"""The catalogue of wrong answers is checked when it is read, and its edits fit the solutions."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from autograder.reference.misconceptions import Misconception, MisconceptionError, all_forms, load

SOURCE = '''\
"""Layers."""


def scale(x):
    return x * 2


class Linear:
    @property
    def rows(self):
        return len(self.x)

    def forward(self, x):
        y = x * 2
        return y + self.b

    def backward(self, dL_dy):
        # summed over the batch
        self.dL_db = dL_dy.sum(axis=0)
        return dL_dy
'''

GOOD = """\
[[misconception]]
id = "linear-bias-gradient-averaged"
module = "layers"
where = "Linear.backward"
replace = "dL_dy.sum(axis=0)"
by = "dL_dy.mean(axis=0)"
fails = ["week1.linear"]
says = "Add the contributions up; the loss has divided by N already."
"""


@pytest.fixture
def solutions(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text(SOURCE, "utf-8")
    return tmp_path


def read(folder: Path, text: str, items: set[str] | None = None) -> list[Misconception]:
    (folder / "misconceptions.toml").write_text(text, "utf-8")
    return load(folder, items)


def test_an_entry_is_read_with_its_defaults(solutions: Path) -> None:
    (entry,) = read(solutions, GOOD, {"week1.linear"})
    assert entry.id == "linear-bias-gradient-averaged"
    assert entry.fails == ["week1.linear"]
    assert entry.kills is True
    assert entry.misleads == []


def test_the_edit_changes_its_one_place_and_nothing_else(solutions: Path) -> None:
    (entry,) = read(solutions, GOOD)
    assert entry.apply(SOURCE) == SOURCE.replace("sum(axis=0)", "mean(axis=0)")


def test_the_place_is_looked_for_inside_where_alone(solutions: Path) -> None:
    text = dedent("""\
        [[misconception]]
        id = "doubled"
        module = "layers"
        where = "Linear.forward"
        replace = "x * 2"
        by = "x * 3"
        fails = ["week1.linear"]
        says = "Once is enough."
        """)
    (entry,) = read(solutions, text)
    assert entry.apply(SOURCE) == SOURCE.replace("y = x * 2", "y = x * 3")


def test_several_lines_are_replaced_as_they_stand(solutions: Path) -> None:
    text = dedent("""\
        [[misconception]]
        id = "no-bias"
        module = "layers"
        where = "Linear"
        replace = '''
                y = x * 2
                return y + self.b
        '''
        by = '''
                return x * 2
        '''
        fails = ["week1.linear"]
        says = "The bias is missing."
        kills = false
        misleads = ["week1.network"]
        """)
    (entry,) = read(solutions, text)
    whole = "        y = x * 2\n        return y + self.b\n"
    assert entry.apply(SOURCE) == SOURCE.replace(whole, "        return x * 2\n")
    assert not entry.kills
    assert entry.misleads == ["week1.network"]


def test_the_last_line_of_a_definition_can_be_replaced_with_its_line_end() -> None:
    entry = Misconception(
        id="a",
        module="layers",
        where="Linear.backward",
        replace="        return dL_dy\n",
        by="        return -dL_dy\n",
        fails=["week1.linear"],
        says="The sign.",
    )
    assert entry.apply(SOURCE).endswith("        return -dL_dy\n")
    assert entry.apply(SOURCE.rstrip("\n") + "\n").endswith("        return -dL_dy\n")


def test_a_decorator_belongs_to_its_definition() -> None:
    entry = Misconception(
        id="a",
        module="layers",
        where="Linear.rows",
        replace="    @property\n",
        by="",
        fails=["week1.linear"],
        says="rows is read without a call.",
    )
    assert entry.apply(SOURCE) == SOURCE.replace("    @property\n", "")


VARIANT = """
[[misconception.variant]]
by = "dL_dy.sum(axis=0) / len(dL_dy)"

[[misconception.variant]]
where = "Linear.forward"
replace = "x * 2"
by = "x * 3"
misleads = ["week1.network"]
"""
"""Two other ways to write GOOD's mistake."""

LEGAL = """
[[variant]]
id = "linear-doubled"
module = "layers"
append = "class Linear(Linear): pass"

[[variant]]
id = "other-rows"
module = "layers"
where = "Linear"
replace = "len(self.x)"
by = "self.x.shape[0]"
for_tests = false
"""


def test_a_variant_takes_from_its_entry_what_it_leaves_out(solutions: Path) -> None:
    (entry,) = read(solutions, GOOD + VARIANT)
    own, first, second = entry.written()
    assert own is entry
    assert first.apply(SOURCE) == SOURCE.replace("axis=0)", "axis=0) / len(dL_dy)")
    assert second.apply(SOURCE) == SOURCE.replace("y = x * 2", "y = x * 3")
    assert {form.says for form in (own, first, second)} == {entry.says}
    assert [form.id for form in (own, first, second)] == [entry.id] * 3
    assert [form.key for form in (own, first, second)] == [
        entry.id,
        f"{entry.id}.2",
        f"{entry.id}.3",
    ]
    assert (first.fails, first.misleads) == (entry.fails, [])
    assert second.misleads == ["week1.network"]


def test_forms_are_those_that_are_written_each_in_the_other_right_forms_too(
    solutions: Path,
) -> None:
    (solutions / "legal_variants.toml").write_text(LEGAL, "utf-8")
    (entry,) = read(solutions, GOOD + VARIANT)
    forms = all_forms([entry])
    assert [form.key.partition("+")[2] for form in forms] == [
        *[""] * 3,
        *["linear-doubled"] * 3,
        *["other-rows"] * 3,
        *["linear-doubled+other-rows"] * 3,
    ]
    assert len({form.key for form in forms}) == len(forms)
    last = forms[-1].apply(SOURCE)
    assert last.endswith("class Linear(Linear): pass")
    assert "y = x * 3" in last
    assert "self.x.shape[0]" in last


WRONG = {
    "a variant without an edit": (
        GOOD + "[[misconception.variant]]\n",
        "`variant.0.by`: field req",
    ),
    "a variant that does not fit": (
        GOOD + '[[misconception.variant]]\nreplace = "x * 9"\nby = "x"\n',
        r"averaged\.2': `replace` stands 0 times",
    ),
    "not TOML": (GOOD + "id =", "not valid TOML"),
    "another table": (GOOD + "\n[extra]\nx = 1\n", r"only \[\[misconception\]\] tables"),
    "an id twice": (GOOD + GOOD, "this id is used twice"),
    "an id of the wrong form": (GOOD.replace("linear-bias", "Linear bias"), "`id`: "),
    "a field missing": (GOOD.replace("says", "# says"), "`says`: field required"),
    "an unknown field": (GOOD + "kill = false\n", "`kill`: extra inputs are not permitted"),
    "a wrong type": (GOOD + 'kills = "no"\n', "`kills`: input should be a valid boolean"),
    "no item": (
        GOOD.replace('["week1.linear"]', "[]"),
        "`fails`: list should have at least 1 item",
    ),
    "an unknown item": (GOOD.replace("week1.linear", "week1.linaer"), "unknown items: week1.li"),
    "an item misled that is unknown": (GOOD + 'misleads = ["x"]\n', "unknown items: x"),
    "no such module": (GOOD.replace('"layers"', '"losses"'), "`module`: there is no .*losses.py"),
    "a module that is a path": (GOOD.replace('"layers"', '"./layers"'), "`module`: there is no"),
    "no such definition": (
        GOOD.replace("Linear.backward", "Linear.back"),
        r"layers\.py defines Linear\.back 0 times",
    ),
    "text that is not there": (
        GOOD.replace("sum(axis=0)", "sum(0)"),
        r"stands 0 times in Linear\.backward",
    ),
    "text that is there twice": (
        GOOD.replace("dL_dy.sum(axis=0)", "dL_dy").replace("dL_dy.mean(axis=0)", "x"),
        r"stands 3 times in Linear\.backward",
    ),
    "a result that is no Python": (
        GOOD.replace("mean(axis=0)", "mean(axis=0"),
        "with the edit the module is not valid Python: line ",
    ),
    "a result that is the same": (
        GOOD.replace("mean(axis=0)", "sum(axis=0)  # again"),
        "the edit changes nothing but spaces or comments",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_entry_is_refused_with_its_fault(solutions: Path, case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(MisconceptionError, match=message):
        read(solutions, text, {"week1.linear"})


def test_all_faults_are_told_at_once_with_file_and_entry(solutions: Path) -> None:
    text = GOOD.replace("says", "# says") + GOOD.replace("sum(axis=0)", "sum(0)")
    with pytest.raises(MisconceptionError) as caught:
        read(solutions, text)
    lines = str(caught.value).split("\n")
    assert len(lines) == 2
    for line in lines:
        assert "misconceptions.toml: misconception 'linear-bias-gradient-averaged': `" in line


def test_a_catalogue_may_be_split_into_files(solutions: Path) -> None:
    other = GOOD.replace("linear-bias-gradient-averaged", "linear-bias-forgotten")
    (solutions / "misconceptions_more.toml").write_text(other, "utf-8")
    ids = [entry.id for entry in read(solutions, GOOD)]
    assert ids == ["linear-bias-gradient-averaged", "linear-bias-forgotten"]


def test_an_id_is_used_once_over_all_files(solutions: Path) -> None:
    (solutions / "misconceptions_more.toml").write_text(GOOD, "utf-8")
    with pytest.raises(MisconceptionError, match=r"_more\.toml: .*used twice"):
        read(solutions, GOOD)


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "solutions").glob("week*")), ids=lambda folder: folder.name
)
def test_every_catalogue_of_the_course_fits_its_solutions(folder: Path) -> None:
    catalogue = load(folder)
    assert catalogue
    for entry in catalogue:
        source = (folder / f"{entry.module}.py").read_text("utf-8")
        assert entry.apply(source) != source
