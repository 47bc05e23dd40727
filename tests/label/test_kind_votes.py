"""Every kind tells what each annotator said, and the user's rules and further models vote in it."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_kind_extract import TASK as FIELDS
from test_kind_extract import clerk
from test_kind_match import TASK as PAIRS
from test_kind_match import pairs, scripted_reader
from test_kind_multi import TASK as SETS
from test_kind_multi import documents
from test_kind_ordinal import TASK as LEVELS
from test_kind_ordinal import scripted_critic, stars

from assay.errors import InputError
from assay.label import LabelResult, LabelSettings, LabelTask, explain, vote
from assay.label.review.order import disagreement
from assay.label.spec import Answers
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel
from labelled import SETTINGS, labelling, scripted_topics
from newsroom import WORDS

UNSURE = ScriptedModel(lambda _, options: [1.0] * len(options), name="unsure")


def ruled(*rules: Any, **more: Any) -> LabelSettings:
    return SETTINGS.model_copy(update={"rules": rules, **more})


def right(result: LabelResult, truth: list[Any]) -> float:
    return float(
        np.mean([one == two for one, two in zip(result.answers.labels, truth, strict=True)])
    )


def asked(folder: Path, kind: str, settings: LabelSettings = SETTINGS) -> LabelResult:
    """Label a few rows of one kind, with gold."""
    task, rows, gold, script = {
        "multi": (SETS, documents(30, 1), documents(60, 2), None),
        "ordinal": (LEVELS, stars(30, 1), stars(60, 2), scripted_critic),
        "match": (PAIRS, pairs(30, 1), pairs(60, 2), scripted_reader),
    }[kind]
    with labelling(folder, scripted_topics(script), UNSURE) as label:
        return label(rows.drop("label"), task, gold, settings=settings)


@pytest.mark.parametrize(
    ("kind", "votes"),
    [
        ("multi", {"asked of each class", "chosen among all", "similarity"}),
        ("ordinal", {"model", "similarity"}),
        ("match", {"model", "meaning", "letters", "words", "words of the shorter side", "numbers"}),
    ],
)
def test_each_row_tells_what_every_annotator_gave_each_class(
    tmp_path: Path, kind: str, votes: set[str]
) -> None:
    result = asked(tmp_path, kind)
    classes = len(result.task.class_names)
    told = {name: each for name, each in result.answers.votes.items() if each.shape[1] == classes}
    assert votes <= told.keys()
    assert all(((each >= 0) & (each <= 1)).all() for each in told.values())
    if kind != "multi":
        assert all(np.allclose(each.sum(axis=1), 1) for each in told.values())
        names = list(result.task.class_names)
        said = np.array([names.index(each) for each in result.answers.labels])
        for name in ("combined", "model"):
            off = np.abs(told[name].argmax(axis=1) - said)
            assert off.mean() < 0.4, name
            assert (off < 2).all(), "no annotator is shown as wavering between the ends"
    assert (disagreement(result.answers) > 0).all()
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        models = {each.name: each for each in (scripted_topics(), UNSURE)}
        with Gateway(ledger, models=models) as gateway:
            found = explain(result, "0", gateway, settings=SETTINGS, words=False)
    assert votes <= found.votes.keys()
    assert "vote: " in str(found)


def test_an_extraction_tells_on_which_fields_its_answers_agree(tmp_path: Path) -> None:
    with labelling(tmp_path, clerk()) as label:
        result = label(["Sale 1: Ann Lee bought corn for 13 dollars, paid."], FIELDS)
    models, settings = {"scripted:topics": clerk()}, SETTINGS
    with (
        Ledger.open(tmp_path / "ledger.sqlite") as ledger,
        Gateway(ledger, models=models) as gateway,
    ):
        found = explain(result, "0", gateway, settings=settings, words=False)
    assert found.votes["agreement"] == pytest.approx(
        {"buyer": 1, "price": 1 / 3, "kind": 1, "paid": 1}
    )
    assert "buyer 1.00, price 0.33, kind 1.00, paid 1.00" in str(found)


@pytest.mark.parametrize("kind", ["multi", "ordinal", "match"])
def test_a_further_model_and_a_rule_vote_beside_the_others(tmp_path: Path, kind: str) -> None:
    @vote
    def silent(*_: str) -> None:
        return None

    plain = asked(tmp_path, kind)
    (tmp_path / "more").mkdir()
    more = asked(tmp_path / "more", kind, ruled(silent, voters=("scripted:unsure",)))
    added = more.answers.votes.keys() - plain.answers.votes.keys()
    assert "rule:silent" in added
    assert any("(scripted:unsure)" in each for each in added)
    assert right(more, plain.answers.labels) > 0.85


def test_a_rule_may_name_several_classes_of_a_row(tmp_path: Path) -> None:
    """The model knows nothing; the rule says all there is to know."""

    @vote
    def holds(text: str) -> list[str] | dict[str, float]:
        held = [name for name, words in WORDS.items() if any(word in text for word in words)]
        return held or dict.fromkeys(WORDS, 0.1)

    rows, gold = documents(80, 1), documents(60, 2)
    scripted = ScriptedModel(
        lambda _, options: [1.0] * len(options), embed=lambda text: [1.0, len(text)], name="topics"
    )
    with labelling(tmp_path, scripted) as label:
        result = label(rows.select("text"), SETS, gold, settings=ruled(holds))
    assert right(result, rows["label"].to_list()) > 0.9
    one = next(row for row, held in enumerate(rows["label"].to_list()) if len(held) == 1)
    assert result.votes_of(one)["rule:holds"] == {rows["label"][one][0]: pytest.approx(0.9)}


def test_a_rule_of_pairs_is_told_both_sides(tmp_path: Path) -> None:
    @vote
    def same_year(left: str, right: str) -> bool | None:
        return left.split()[-1] == right.split()[-1] or None

    result = asked(tmp_path, "match", ruled(same_year))
    said = result.answers.votes["rule:same_year"]
    years = pairs(30, 1)
    agreed = (years["year"] == years["other_year"]).to_numpy()
    np.testing.assert_allclose(said[agreed, 1], 0.9)
    assert np.isnan(said[~agreed]).all(), "it abstains"
    silent = int(np.flatnonzero(~agreed)[0])
    assert "rule:same_year" not in result.votes_of(silent)


@pytest.mark.parametrize("rows", [50, 2000])
def test_a_rule_that_seldom_speaks_does_not_outvote_the_rest(tmp_path: Path, rows: int) -> None:
    """Without gold a rule's probability is a vote of that size, however many rows there are."""

    @vote
    def hasty(text: str) -> str | None:
        return "superb" if text.startswith("row 1 7 ") else None

    data = stars(rows, 1, slips=0)
    with labelling(tmp_path, scripted_topics(scripted_critic)) as label:
        plain = label(data.select("text"), LEVELS)
        result = label(data.select("text"), LEVELS, settings=ruled(hasty))
    before, after = (each.answers.votes["combined"][7] for each in (plain, result))
    odds = (after[-1] / (1 - after[-1])) / (before[-1] / (1 - before[-1]))
    assert 1 < odds < 100
    others = np.arange(rows) != 7
    assert result.votes_of(7)["rule:hasty"]["superb"] > 0.8
    assert "rule:hasty" not in result.votes_of(8)
    np.testing.assert_allclose(
        plain.answers.votes["combined"][others], result.answers.votes["combined"][others], atol=0.02
    )


@pytest.mark.parametrize(
    ("task", "rows"),
    [(LabelTask.of(list(WORDS)), documents(20, 1)), (SETS, documents(20, 1)),
     (LEVELS, stars(20, 1)), (PAIRS, pairs(20, 1))],
    ids=["single", "multi", "ordinal", "match"],
)  # fmt: skip
def test_a_rule_that_fails_does_so_before_a_model_is_asked(
    tmp_path: Path, task: LabelTask, rows: pl.DataFrame
) -> None:
    prompts: list[Prompt] = []

    def scripted(prompt: Prompt, options: Sequence[str]) -> list[float]:
        prompts.append(prompt)
        return [1.0] * len(options)

    @vote
    def hasty(*texts: str) -> str:
        return texts[-1][5000]

    with (
        labelling(tmp_path, scripted_topics(scripted)) as label,
        pytest.raises(InputError, match="hasty failed at text 1"),
    ):
        label(rows.drop("label"), task, settings=ruled(hasty))
    assert not prompts


def test_what_a_rule_may_not_answer_is_told() -> None:
    task = LabelTask.of(PAIRS)
    with pytest.raises(InputError, match="what is no class"):
        vote(lambda *_: "perhaps").matches([("a", "b")], task)
    with pytest.raises(InputError, match="no probability"):
        vote(lambda *_: {"match": 2}).matches([("a", "b")], task)
    with pytest.raises(InputError, match="failed at text 1"):
        vote(lambda left: True).matches([("a", "b")], task)
    with pytest.raises(InputError, match="what is no class"):
        vote(lambda _: ["farm", "sea"]).holds(["a"], SETS)
    with pytest.raises(InputError, match="what is no class"):
        vote(lambda _: ["farm", "sport"]).votes(["a"], LabelTask.of(list(WORDS)))
    sides = [("a", "b")]
    for said, odds in (
        ({"different": 0.8}, 0.2 / 0.8),
        ({"different": 0.9, "match": 0.3}, 0.3 / 0.9),
        (np.bool_(True), 0.9 / 0.1),
        (False, 0.1 / 0.9),
    ):
        found = vote(lambda *_, said=said: said).matches(sides, task)
        np.testing.assert_allclose(found, np.log(odds))


def test_a_rare_class_is_found_unlikely_by_those_who_say_no(tmp_path: Path) -> None:
    rows, gold = (
        some.filter(~pl.col("label") | (pl.int_range(pl.len()) % 8 == 0))
        for some in (pairs(150, 1), pairs(150, 2))
    )
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        for known in (None, gold):
            result = label(rows.drop("label"), PAIRS, known)
            no = [row for row, each in enumerate(result.answers.labels) if each == "different"]
            assert np.median(result.answers.said["meaning"][no, 1]) < 0.3


def test_rows_that_no_further_model_was_asked_of_are_not_in_dispute() -> None:
    votes = {
        "one": np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]]),
        "two": np.array([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]]),
        "one (strong)": np.array([[np.nan, np.nan], [np.nan, np.nan], [0.7, 0.3]]),
        "combined": np.array([[0.5, 0.5], [0.1, 0.9], [0.6, 0.4]]),
    }
    found = disagreement(Answers(["a", "a", "a"], np.array([0.5, 0.9, 0.6]), votes=votes))
    assert found[0] == pytest.approx(0.4)
    assert found[1] == 0
    assert 0 < found[2] < found[0]


def test_a_rule_survives_being_sent_elsewhere() -> None:
    word = "goal"

    @vote
    def by_word(text: str) -> str | None:
        return "sport" if word in text else None

    sent = pickle.loads(pickle.dumps(by_word))  # noqa: S301
    assert sent("a goal") == "sport"
    assert sent.name == "by_word"
    assert "by_word: " in sent.written or sent.written == "by_word"
    assert "word in text" in by_word.written


def test_pairs_cut_at_other_places_are_no_copies(tmp_path: Path) -> None:
    table = pl.DataFrame({"name": ["Acme Ltd", "Acme"], "other": ["Berlin", "Ltd Berlin"]})
    task = LabelTask(kind="match", left=("name",), right=("other",))
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        found = label(table, task)
    assert found.summary.copies == 0
    assert "same text" not in " ".join(found.table["why"])


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    rule = vote(lambda _: None)
    with pytest.raises(InputError, match="Two rules have one name"):
        asked(tmp_path, "multi", ruled(rule, rule))
