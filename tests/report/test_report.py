from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from assay.evidence import Interval, Verdict
from assay.improve.report import render_html, render_terminal, write_html
from assay.improve.spec import Confusion, ImproveResult
from assay.task import Task
from made_up_result import NASTY, made_up_result

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Reader(HTMLParser):
    """Collects tags, attributes and words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def terminal(result: ImproveResult) -> str:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(render_terminal(result))
        return console.export_text()


def without_confirmation(result: ImproveResult) -> ImproveResult:
    return replace(result, confirmed=None)


def nothing_kept(result: ImproveResult) -> ImproveResult:
    attempts = tuple(each for each in result.attempts if not each.verdict.kept)
    return replace(result, attempts=attempts, confirmed=None, recipe=result.baseline, diff="")


def withheld(result: ImproveResult) -> ImproveResult:
    assert result.confirmed is not None
    verdict = Verdict("dropped", "Not confirmed.", ())
    return replace(
        result, confirmed=replace(result.confirmed, verdict=verdict, before=None, after=None)
    )


def bare(result: ImproveResult) -> ImproveResult:
    return replace(
        nothing_kept(result),
        attempts=(),
        learning_curve=result.learning_curve[:1],
        confusion_before=None,
        confusion_after=None,
        stopped="the budget of 1 minutes was reached",
    )


def many_classes(result: ImproveResult, number: int = 52) -> ImproveResult:
    names = tuple(f"class {each}" + " of a long name" * (each % 2) for each in range(number))
    counts = tuple(
        tuple(9 if i == j else int((i + j) % 11 == 0) for j in range(number)) for i in range(number)
    )
    counts = ((9, 70, *counts[0][2:]), *counts[1:])
    return replace(
        result,
        confusion_before=Confusion(names, counts, "evidence-95"),
        confusion_after=Confusion(names, counts, "evidence-96"),
    )


def regression(result: ImproveResult) -> ImproveResult:
    task = Task(kind="regression", modality="text", target="price", text="text", metric="mae")
    return replace(result, task=task, confusion_before=None, confusion_after=None)


VARIANTS = [
    lambda result: result,
    without_confirmation,
    nothing_kept,
    withheld,
    bare,
    many_classes,
    regression,
]


@pytest.mark.parametrize("vary", VARIANTS)
@pytest.mark.parametrize("attempts", [1, 5, 40])
def test_every_kind_of_result_can_be_told(vary: object, attempts: int) -> None:
    result = vary(made_up_result(attempts))  # type: ignore[operator]
    page, text = render_html(result), terminal(result)
    for attempt in result.attempts:
        assert attempt.verdict_id in page
        assert attempt.verdict_id in text
    assert "are not corrected for the number tried" in Reader(page).words


def test_a_warning_is_told() -> None:
    result = replace(made_up_result(), warnings=("7 search rows are near copies",))
    assert "7 search rows are near copies" in terminal(result)
    assert "7 search rows are near copies" in Reader(render_html(result)).words


def test_data_is_never_markup() -> None:
    page = Reader(render_html(made_up_result()))
    assert "script" not in page.tags
    assert NASTY in page.words


def test_the_page_needs_nothing_from_outside() -> None:
    page = Reader(render_html(made_up_result()))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href")]
    policy = [value for name, value in page.attributes if name == "content" and value]
    assert any("default-src 'none'" in value for value in policy)


def test_every_figure_carries_its_ledger_id() -> None:
    result = made_up_result()
    words = Reader(render_html(result)).words
    assert result.confirmed is not None
    facts = [
        *(fact for each in result.attempts for fact in each.verdict.evidence),
        *(fact for point in result.learning_curve for fact in (point.before, point.after)),
        *result.confirmed.verdict.evidence,
        result.confirmed.before,
        result.confirmed.after,
    ]
    for fact in facts:
        assert fact is not None
        assert str(fact.id) in words
    for confusion in (result.confusion_before, result.confusion_after):
        assert confusion is not None
        assert confusion.id in words


def test_the_headline_answers_first() -> None:
    result = made_up_result()
    assert terminal(result).split("\n")[1] == "It helped: accuracy went from 0.800 to 0.880."
    assert "None of 3 proposals helped" in terminal(nothing_kept(result))
    assert "nothing is confirmed" in terminal(without_confirmation(result))
    assert "does not confirm" in terminal(withheld(result))
    assert "Nothing was tried" in terminal(bare(result))
    assert "mean absolute error went from" in terminal(regression(result))


def test_a_lower_error_is_told_to_be_a_gain() -> None:
    assert "Less is better" in Reader(render_html(regression(made_up_result()))).words
    assert "Less is better" not in Reader(render_html(made_up_result())).words


@pytest.mark.parametrize(("classes", "matrices"), [(3, 2), (52, 2), (61, 0)])
def test_many_classes_begin_with_the_most_frequent_mistakes(classes: int, matrices: int) -> None:
    page = Reader(render_html(many_classes(made_up_result(), classes)))
    assert page.words.count("The most frequent mistakes") == (classes > 12)
    assert sum(name == "class" and "matrix" in str(v) for name, v in page.attributes) == matrices
    if classes > 12:
        assert page.words.index("class 0class 1 of a long name7070") < page.words.index("class 11")


def test_a_long_list_of_guards_shows_the_worst() -> None:
    result = made_up_result(1)
    gain, guard = result.attempts[0].verdict.evidence
    guards = [
        replace(guard, id=f"evidence-{n}", interval=Interval(-0.01 * n, 0.01))
        for n in range(500, 552)
    ]
    verdict = replace(result.attempts[0].verdict, evidence=(gain, *guards))
    words = Reader(
        render_html(replace(result, attempts=(replace(result.attempts[0], verdict=verdict),)))
    ).words
    assert "the 12 nearest to a loss, of 52" in words
    assert "evidence-551" in words
    assert "evidence-500" not in words


def test_a_result_goes_through_json_unchanged() -> None:
    result = made_up_result()
    assert ImproveResult.from_json(result.to_json()) == result


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    write_html(made_up_result(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().rstrip().endswith("</html>")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("vary", [lambda result: result, many_classes])
def test_a_browser_shows_it_without_a_complaint_or_an_overflow(
    tmp_path: Path, width: int, vary: Callable[[ImproveResult], ImproveResult]
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_html(vary(made_up_result())).replace("<details", "<details open"))
    probe = tmp_path / "probe.html"
    # The page allows no script, so a frame around it measures it.
    probe.write_text(
        f"""<iframe id="page" src="report.html" style="width:{width}px;height:900px;border:0">
        </iframe><output id="found"></output><script>
        document.getElementById("page").onload = (loaded) => {{
          const root = loaded.target.contentDocument.documentElement;
          document.getElementById("found").textContent =
            `wide ${{root.scrollWidth}} of ${{root.clientWidth}}`;
        }};</script>"""
    )
    done = subprocess.run(
        [
            str(BROWSER),
            *QUIET,
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1300,1000",
            "--virtual-time-budget=4000",
            "--dump-dom",
            probe.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    measured = done.stdout.partition('<output id="found">')[2].partition("</output>")[0].split()
    assert measured[:1] == ["wide"], done.stdout[-500:]
    assert int(measured[1]) <= int(measured[3])
    assert "CONSOLE" not in done.stderr, done.stderr
