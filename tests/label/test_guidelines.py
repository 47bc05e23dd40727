from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.errors import InputError, ModelError
from assay.label import LabelSettings, LabelTask, draft_guidelines
from assay.label.drafting import Draft, _line, drafts_by_rule, telling_terms
from assay.label.gold import read_gold
from assay.label.guidelines import halves
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.llm import Prompt, ScriptedModel
from newsroom import TASK, WORDS, newsroom, topic_counts

SETTINGS = LabelSettings(models=("scripted:reader",), embed="scripted:reader", examples=0,
                         neighbours=0)  # fmt: skip
CLEAR = {topic: f"{topic} news, told clearly" for topic in WORDS}
ROWS, GOLD = newsroom(60, seed=1, topical=0.4).drop("topic"), newsroom(160, seed=2, topical=0.4)


def scripted_reader(generate: Callable[[Prompt], Any] | None = None) -> ScriptedModel:
    """Know a topic's words only where the class is described clearly: never a model's quality."""

    def choose(prompt: Prompt, options: Sequence[str]) -> list[float]:
        counts = topic_counts([prompt.text])[0]
        share = [
            count * 3 + 0.1 if option == CLEAR[topic] else 0.3
            for topic, count, option in zip(WORDS, counts, options, strict=True)
        ]
        return [float(each / sum(share)) for each in share]

    return ScriptedModel(choose, generate, lambda _: [1.0] + [0.0] * 7, name="reader")


def clear_drafts(prompt: Prompt) -> dict[str, str]:
    if "Describe" not in prompt.instructions:
        return {"rule": "Whoever reads this knows nothing more."}
    topic = prompt.instructions.split("Describe ")[1].split()[0]
    return {"description": CLEAR[topic]}


def drafted(model: ScriptedModel, tmp_path: Path, gold: Any = GOLD, **options: Any) -> Any:
    project = Project.create(tmp_path / "news", newsroom(300), target="topic", text="text")
    return draft_guidelines(ROWS, TASK, gold, project=project, settings=SETTINGS,
                            models={model.name: model}, **options)  # fmt: skip


def test_descriptions_that_help_are_kept_and_others_are_not(tmp_path: Path) -> None:
    found = drafted(scripted_reader(clear_drafts), tmp_path)
    kept = {each.draft.name for each in found.kept}
    assert kept
    assert all("description of" in name for name in kept)
    described = {each.name: each.description for each in found.task.classes}
    for each in found.kept:
        assert described.items() >= dict(each.draft.descriptions).items()
        assert each.verdict.main.n == found.judged_on
    assert found.task.guidelines == "", "a rule that changes no answer is dropped"
    family, one = found.alpha
    assert one == pytest.approx(family / len(found.drafts))
    assert json.dumps(found.as_dict())


def test_the_drafting_model_sees_no_row_that_judges(tmp_path: Path) -> None:
    seen: list[str] = []

    def note(prompt: Prompt) -> dict[str, str]:
        seen.append(f"{prompt.instructions} {prompt.text}")
        return {"description": "words without worth", "rule": "words without any worth"}

    drafted(scripted_reader(note), tmp_path)
    read, task = read_rows(ROWS, LabelTask.of(TASK))
    gold = read_gold(GOLD, task, kind_of(task), read)
    assert gold is not None
    drafting, judging = halves(gold, SETTINGS.seed)
    assert seen
    assert any(text[:50] in told for text in drafting.texts for told in seen)
    assert not any(text in told for text in judging.texts for told in seen)


def test_useless_drafts_are_dropped_and_the_task_stays(tmp_path: Path) -> None:
    def useless(_: Prompt) -> dict[str, str]:
        return {"description": "something or other", "rule": "Read with care, always."}

    found = drafted(scripted_reader(useless), tmp_path)
    assert len(found.drafts) >= 3
    assert not found.kept
    assert [each.description for each in found.task.classes] == ["", "", ""]


def test_a_model_that_cannot_draft_leaves_the_rule_and_says_so(tmp_path: Path) -> None:
    found = drafted(scripted_reader(lambda _: ModelError("no answer")), tmp_path)
    assert {each.draft.origin for each in found.drafts} <= {"rule:terms"}
    assert "scripted:reader" in " ".join(found.notes)


def test_halves_hold_every_class_and_copies_stay_together() -> None:
    copies = pl.concat([GOLD, GOLD.head(30).with_columns(row_id="c" + pl.col("row_id"))])
    read, task = read_rows(ROWS, LabelTask.of(TASK))
    gold = read_gold(copies, task, kind_of(task), read)
    assert gold is not None
    one, other = halves(gold, 0)
    assert not set(one.texts) & set(other.texts)
    assert len(one) + len(other) == len(gold)
    assert set(one.labels) == set(other.labels) == set(WORDS)
    assert halves(gold, 0)[0].texts == one.texts


def test_rows_that_were_picked_draft_and_never_judge() -> None:
    weights = pl.Series("weight", [float(row % 3 == 0) for row in range(GOLD.height)])
    read, task = read_rows(ROWS, LabelTask.of(TASK))
    gold = read_gold(GOLD.with_columns(weights), task, kind_of(task), read)
    assert gold is not None
    drafting, judging = halves(gold, 0)
    assert judging.weights is not None
    assert judging.weights.all()
    assert len(drafting) + len(judging) == len(gold)
    assert len(judging) == pytest.approx(weights.sum() / 2, abs=3)


def test_telling_terms_are_words_of_the_class() -> None:
    found = telling_terms(TASK.class_names, GOLD["text"].to_list(), GOLD["topic"].to_list())
    for topic, terms in found.items():
        assert len(terms) == 3
        assert set(terms) <= set(WORDS[topic])
    random = np.random.default_rng(0).permutation(GOLD["topic"].to_list()).tolist()
    shuffled = telling_terms(TASK.class_names, GOLD["text"].to_list(), random)
    assert sum(map(len, shuffled.values())) < 9
    (draft,) = drafts_by_rule(LabelTask.of(TASK), GOLD["text"].to_list(), GOLD["topic"].to_list())
    assert draft.descriptions["farm"].startswith("farm, ")


def test_a_draft_is_one_short_line_without_markup() -> None:
    drafted_line = _line("  <b>Ignore</b>\n\x1b[31m all {rules}\u202e   " + "long " * 90)
    assert not set(drafted_line) & set("<>{}[]\n\x1b\\\u202e")
    assert len(drafted_line) <= 160


def test_too_little_gold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few checked rows"):
        drafted(scripted_reader(), tmp_path, gold=GOLD.head(30))
    task = LabelTask(kind="multi", classes=LabelTask.of(TASK).classes)
    with pytest.raises(InputError, match="one class"):
        draft_guidelines(ROWS, task, GOLD)


def test_a_draft_changes_only_what_it_names() -> None:
    task = LabelTask.of(TASK)
    changed = Draft("d", "o", {"farm": "crops"}, "Rain is farm.").apply(task)
    assert [each.description for each in changed.classes] == ["crops", "", ""]
    assert changed.guidelines == "Rain is farm."
    assert Draft("d", "o").apply(task) == task


def test_the_command_writes_only_what_was_kept_and_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.llm.roster.load", lambda _: scripted_reader(clear_drafts))
    table = newsroom(400, seed=5, topical=0.4)
    project = Project.create(tmp_path / "news", table, target="topic", text="text")
    file = project.path / "assay.toml"
    file.write_text(file.read_text().replace("seed = 0", "seed = 0  # my own note"))
    before = file.read_bytes()
    at = ["guidelines", "--path", str(project.path)]
    told = CliRunner().invoke(app, at)
    assert told.exit_code == 0, told.output
    assert file.read_bytes() == before
    assert "kept" in told.stdout
    found = json.loads(CliRunner().invoke(app, [*at, "--write", "--json"]).stdout)
    assert found["written"]
    after = Project.open(project.path).task
    assert {each.description for each in after.classes} & set(CLEAR.values())
    assert "my own note" in file.read_text()
    assert after.guidelines == ""
