"""The class's page and a student's, as a browser shows them: no errors, nothing from elsewhere.

Debian's chromium is driven over its own protocol. axe-core, from npm, is looked for where AXE_CORE
says, in node_modules/ and where Debian's package has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.gradebook.journal import Gradebook
from autograder.report.class_files import write_class
from autograder.report.class_page_file import PAGE
from autograder.report.gather import gather
from tests import browser, paper_class
from tests.pages.test_class_page import written

pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None,
    reason="NOT PROVEN IN A BROWSER: bash scripts/setup.sh all browser installs what is needed",
)
AXE_PLACES = (
    os.environ.get("AXE_CORE", ""),
    str(paper_class.ROOT / "node_modules/axe-core/axe.min.js"),
    "/usr/share/nodejs/axe-core/axe.min.js",
)
AXE = next((Path(one) for one in AXE_PLACES if one and Path(one).is_file()), None)
NARROW = ("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740,
          "deviceScaleFactor": 1, "mobile": True})  # fmt: skip
DARK = ("Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})  # fmt: skip
PRINT = ("Emulation.setEmulatedMedia", {"media": "print"})
SHOWN = "[...document.querySelectorAll('#students tbody tr')].filter(r => !r.hidden)"
NAMES = f"{SHOWN}.map(r => r.querySelector('a').textContent)"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("class")
    written(out, 24, seed=1)
    course = paper_class.paper_course()
    with Gradebook.open(out / paper_class.BOOK) as book:
        write_class(course, gather(course, book), out, book)
    return out


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def page(opened: browser.Browser) -> Iterator[browser.Browser]:
    """A browser that is asked afterwards whether anything went wrong."""
    opened.settings, opened.errors, opened.foreign, opened.dialogs = [], [], [], []
    yield opened
    assert opened.errors == []
    assert opened.foreign == []
    assert opened.dialogs == []


def at(folder: Path, state: str = "") -> str:
    # A visit that differs in what is behind the # alone would be none.
    return f"{(folder / PAGE).as_uri()}?{os.urandom(4).hex()}#{state}"


def students_page(folder: Path) -> str:
    return (folder / "students" / paper_class.ids(24)[3] / "feedback.html").as_uri()


def filled(name: str, value: str) -> str:
    return (
        f"(() => {{ const f = document.querySelector('[data-filter={name}]'); f.value = {value!r};"
        "f.dispatchEvent(new Event('input')); return location.hash; })()"
    )


def key(name: str, code: int, text: str = "") -> list[browser.Request]:
    down: dict[str, Any] = {"type": "keyDown", "key": name, "code": name, "text": text}
    both = {"windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
    up = {"type": "keyUp", "key": name, "code": name}
    return [
        ("Input.dispatchKeyEvent", {**down, **both}),
        ("Input.dispatchKeyEvent", {**up, **both}),
    ]


def test_columns_are_sorted_both_ways_and_the_link_keeps_it(page, folder) -> None:
    click = "document.querySelectorAll('#students thead button')[2].click()"
    values = f"{SHOWN}.map(r => Number(r.cells[2].dataset.v))"
    head = "document.querySelectorAll('#students thead th')[2].getAttribute('aria-sort')"
    down, said, _, up, again, link = page.visit(
        at(folder), f"{click}, {values}", head, click, values, head, "location.hash"
    )
    assert down == sorted(down, reverse=True)
    assert said == "descending"
    assert up == sorted(up)
    assert again == "ascending"
    [kept] = page.visit(at(folder, link.lstrip("#")), values)
    assert kept == up


def test_filters_keep_students_items_and_pictures(page, folder) -> None:
    course = paper_class.paper_course()
    parts = course.phases[0].components
    part = next(o for o in parts if any(item.id == "week1.linear" for item in o.items))
    everybody, link, section, words, medians, component, rows, alone = page.visit(
        at(folder),
        NAMES,
        filled("section", "B"),
        NAMES,
        "document.getElementById('shown').textContent",
        f"[{SHOWN}.map(r => Number(r.dataset.v.split(',')[0])),"
        "document.querySelectorAll('[data-column]')[0].querySelectorAll('dd')[2].textContent]",
        filled("component", part.id),
        "[...document.querySelectorAll('#items tbody tr')].filter(r => !r.hidden)"
        ".map(r => r.dataset.component)",
        "[...document.querySelectorAll('#misconceptions tbody tr')].filter(r => !r.hidden)"
        ".map(r => [r.querySelector('[data-count]').textContent,"
        "[...r.querySelectorAll('.who a')].filter(a => !a.hidden).map(a => a.textContent)])",
    )
    ids = paper_class.ids(24)
    assert everybody == ids
    assert section == ids[1::3]
    assert words == "8 of 24 students"
    assert "section=B" in link
    totals, said = medians
    assert float(said) == pytest.approx(np.median(totals) / 100, abs=0.006)
    assert {*rows} == {part.id}
    assert f"component={part.id}" in component
    assert alone
    for count, names in alone:
        assert int(count) == len(names) > 0
        assert {*names} <= {*section}
    state = component.lstrip("#")
    [kept] = page.visit(at(folder, state), NAMES)
    assert kept == section


def test_status_and_words_find_students(page, folder) -> None:
    link, late, _, found, all_again = page.visit(
        at(folder),
        filled("status", "late"),
        f"{SHOWN}.map(r => r.dataset.status)",
        filled("status", ""),
        f"{filled('q', 'BELA')}, {NAMES}",
        f"document.getElementById('all').click(), {NAMES}.length",
    )
    assert "status=late" in link
    assert late
    assert all("late" in one.split("|") for one in late)
    assert found
    assert all("bela" in one for one in found)
    assert all_again == 24


def test_every_name_leads_to_a_students_page(page, folder) -> None:
    names, odd = page.visit(
        at(folder),
        "document.querySelectorAll('.who a').length",
        "[...document.querySelectorAll('.who a')].filter(a =>"
        " a.getAttribute('href') !== `students/${a.textContent}/feedback.html`).length",
    )
    assert names > 50
    assert odd == 0


def test_an_odd_link_does_no_harm(page, folder) -> None:
    odd = "section=%3Cscript%3E&status=nobody&sort=students:99:up&sort=x:y:z&at=nowhere&q=%22%3E"
    [names] = page.visit(at(folder, odd), f"{NAMES}.length")
    assert names == 0, "nobody's name has that in it"


def test_the_keyboard_reaches_and_sorts(page, folder) -> None:
    tabs = key("Tab", 9)
    walked = [
        item for _ in range(24) for item in (*tabs, "document.activeElement.outerHTML.slice(0, 60)")
    ]
    focused = [one for one in page.visit(at(folder), *walked) if isinstance(one, str)]
    assert focused[0].startswith('<a class="skip"')
    assert any("data-filter" in one for one in focused)
    assert len(set(focused)) > 15, "nothing holds the focus"
    last = page.visit(
        at(folder),
        "document.querySelector('#items thead button').focus()",
        *key("Enter", 13, "\r"),
        "document.querySelector('#items thead th').getAttribute('aria-sort')",
    )[-1]
    assert last == "ascending"


@pytest.mark.parametrize("kind", ["class", "student"])
def test_360_pixels_are_enough(page, folder, kind) -> None:
    page.settings = [NARROW]
    address = at(folder) if kind == "class" else students_page(folder)
    over, width = page.visit(address, WIDTH, "innerWidth")
    assert width == 360
    assert over <= 0


@pytest.mark.parametrize("kind", ["class", "student"])
def test_dark_is_dark_and_print_is_light_and_unfolded(page, folder, kind) -> None:
    address = at(folder) if kind == "class" else students_page(folder)
    colour = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)[0]"
    page.settings = [DARK]
    [dark] = page.visit(address, colour)
    page.settings = [PRINT]
    folded = (
        "[...document.querySelectorAll('details:not([open])')].filter(d =>"
        " d.lastElementChild.getBoundingClientRect().height === 0).length"
    )
    printed, left = page.visit(address, colour, folded)
    assert dark < 60
    assert printed > 240
    assert left == 0


def test_a_students_page_has_its_summary_on_one_screen(page, folder) -> None:
    bottom, height, places, scripts = page.visit(
        students_page(folder),
        "Math.max(...[...document.querySelectorAll('.two .box')]"
        ".map(b => b.getBoundingClientRect().bottom))",
        "innerHeight",
        "[...document.querySelectorAll('.mend a')].map(a =>"
        " document.getElementById(a.getAttribute('href').slice(1)) !== null)",
        "document.scripts.length",
    )
    assert bottom <= height
    assert places
    assert all(places)
    assert scripts == 0


@pytest.mark.skipif(AXE is None, reason="NOT PROVEN: no axe-core (npm); AXE_CORE names axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["class", "student"])
def test_no_fault_that_axe_core_knows(page, folder, kind, scheme) -> None:
    assert AXE is not None
    page.settings = [DARK] if scheme == "dark" else []
    address = at(folder) if kind == "class" else students_page(folder)
    unfold = "document.querySelectorAll('details').forEach(d => d.open = true)"
    run = """axe.run().then(found => found.violations.map(one =>
        `${one.id}: ${one.nodes.length} such as ${one.nodes[0].html.slice(0, 150)}`))"""
    faults = page.visit(address, AXE.read_text("utf-8") + "; 1", unfold, run)[-1]
    assert faults == []
