"""``benchmarks/label.py`` adds up over sessions, and reads what older files hold."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.label import LabelTask
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel

ROOT = Path(__file__).parents[2]
SET = "made, linear"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    # By its path: to the tests, ``label`` may be their own folder.
    found = spec_from_file_location("label", ROOT / "benchmarks" / "label.py")
    assert found is not None
    assert found.loader is not None
    benchmark = module_from_spec(found)
    monkeypatch.setitem(sys.modules, "label", benchmark)
    found.loader.exec_module(benchmark)


@pytest.fixture
def models() -> dict[str, ScriptedModel]:
    def choose(prompt: Prompt, options: Sequence[str]) -> list[float]:
        words = prompt.text.split()
        return [1 + 3 * words.count(each) for each in options]

    def embed(text: str) -> list[float]:
        words = text.split()
        return [1.0, words.count("wet") + 0.1 * len(text), words.count("dry")]

    scripted = ScriptedModel(choose, embed=embed)
    return {"local:smollm2-135m": scripted, "local:minilm": scripted}


@pytest.fixture
def gateway(tmp_path: Path, models: dict[str, ScriptedModel]) -> Iterator[Gateway]:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger, Gateway(ledger, models=models) as made:
        yield made


def made_set() -> Any:
    from label_sets import TextSet

    random = np.random.default_rng(0)

    def rows(count: int, where: str) -> pl.DataFrame:
        truth = random.choice(["wet", "dry"], count).tolist()
        other = {"wet": "dry", "dry": "wet"}
        said = [each if random.random() < 0.9 else other[each] for each in truth]
        texts = [f"{where} {number} {each}" for number, each in enumerate(said)]
        return pl.DataFrame({"text": texts, "label": truth})

    task = LabelTask.of(["wet", "dry"]).model_copy(update={"inputs": ("text",)})
    return TextSet("made", task, rows(200, "row"), rows(600, "gold"))


def asked(out: Path | None, monkeypatch: pytest.MonkeyPatch, *more: str) -> argparse.Namespace:
    from label import arguments

    words = ["--rows", "100", "--student", "linear", "--gold", "0", "50", "--draws", "0", *more]
    words += [] if out is None else ["--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["label.py", *words])
    return arguments()


def measured(gateway: Gateway, given: argparse.Namespace) -> dict[str, Any]:
    from label import measure
    from label_kept import Kept

    kept = Kept(given.out, given.rows)
    measure(made_set(), gateway, kept, given)
    return kept.report["sets"][SET]


def test_what_two_sessions_measure_adds_up_to_what_one_does(
    tmp_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    import label
    from label_kept import summary_of

    begun: list[int] = []
    really = label.one_seed
    monkeypatch.setattr(
        label, "one_seed", lambda *words: begun.append(words[2]) or really(*words)
    )  # fmt: skip
    monkeypatch.setattr("label_sets.POOL", 60)
    out = tmp_path / "results.json"
    at_once = measured(gateway, asked(None, monkeypatch, "--seeds", "2", "--draws", "4"))
    begun.clear()
    measured(gateway, asked(out, monkeypatch, "--seeds", "1", "--draws", "2"))
    added = measured(gateway, asked(out, monkeypatch, "--seeds", "2", "--draws", "4"))
    assert begun == [0, 1]
    assert json.loads(out.read_text())["sets"][SET] == added
    assert added["redraws"] == at_once["redraws"]
    assert {each["draws"] for each in added["redraws"]["guarantee"].values()} == {4}
    for found in (added, at_once):
        assert list(found["seeds"]["50"]) == ["0", "1"]
    assert summary_of(added) == summary_of(at_once)
    assert summary_of(added)["50"]["ours accuracy"]["n"] == 2
    measured(gateway, asked(out, monkeypatch, "--seeds", "1", "--again"))
    assert begun == [0, 1, 0]


def test_a_peer_is_measured_alone_and_once_for_each_seed(
    tmp_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    import label
    from label_table import draw

    asked_of: list[tuple[int, int, int]] = []

    def scripted(_: str, gold: Any, rows: list[str], seed: int, steps: int) -> list[str]:
        asked_of.append((len(gold[0]), seed, steps))
        return ["wet" if "wet" in row else "dry" for row in rows]

    monkeypatch.setattr(label, "setfit", scripted)
    out = tmp_path / "results.json"
    words = ["--gold", "--setfit", "python", "--setfit-steps", "7"]
    for seeds in ("1", "2", "2"):
        found = measured(gateway, asked(out, monkeypatch, *words, "--seeds", seeds))
    assert asked_of == [(100, 0, 7), (100, 1, 7)]
    assert found["seeds"] == {}
    right = found["peers"]["setfit"]["100"]
    assert [*right] == ["0", "1"]
    mean = (right["0"]["accuracy"] + right["1"]["accuracy"]) / 2
    assert 0.8 < mean < 1
    drawn = draw(json.loads(out.read_text()))
    assert f"| made | linear | 2 | 100 |  |  |  |  | {mean:.3f} ± " in drawn
    assert "SetFit: 7 steps of 16 pairs" in drawn
    words[-1] = "9"
    measured(gateway, asked(out, monkeypatch, *words, "--seeds", "1"))
    assert asked_of[2:] == [(100, 0, 9)]
    assert "SetFit: 7 or 9 steps of 16 pairs" in draw(json.loads(out.read_text()))


def test_a_seed_lacks_what_was_not_asked_of_it_then(tmp_path: Path) -> None:
    from label_kept import Kept

    kept = Kept(tmp_path / "results.json", 200)
    assert kept.lacking(SET, 0, 0)
    kept.add(SET, 0, {"gold": 0, "ours": {"accuracy": 0.9, "macro_f1": 0.8}})
    assert not kept.lacking(SET, 0, 0)
    assert kept.lacking(SET, 0, 0, ["crowdkit"])
    with pytest.raises(SystemExit, match="200 rows a set, not of --rows 1500"):
        Kept(tmp_path / "results.json", 1500)


def test_an_older_files_summary_stands_until_as_many_seeds_are_there(tmp_path: Path) -> None:
    from label_kept import Kept, redrawn
    from label_table import draw

    def summary(mean: float) -> dict[str, Any]:
        return {"ours accuracy": {"mean": mean, "half_width": 0.01, "n": 2}}

    out = tmp_path / "results.json"
    counts = {"0.90": {"draws": 50, "reached": 20, "failed": 1}}
    old = {"rows": 200, "sets": {SET: {"100": summary(0.5), "guarantee": counts}}}
    out.write_text(json.dumps(old))
    assert "| made | linear | 2 | 100 | 0.500 ± 0.010 |" in draw(old)
    kept = Kept(out, 200)
    assert kept.redrawn(SET, "guarantee") == counts
    kept.add(SET, 0, {"gold": 100, "ours": {"accuracy": 0.9, "macro_f1": 0.8}})
    assert "| made | linear | 2 | 100 | 0.500 ± 0.010 |" in draw(json.loads(out.read_text()))
    kept.add(SET, 1, {"gold": 100, "ours": {"accuracy": 0.9, "macro_f1": 0.8}})
    assert "| made | linear | 2 | 100 | 0.900 ± 0.000 |" in draw(json.loads(out.read_text()))
    more = {"0.90": {"draws": 60, "reached": 25, "failed": 1}}
    kept.add_redraws(SET, "guarantee", more)
    found = json.loads(out.read_text())
    assert redrawn(found["sets"][SET], "guarantee") == more
    assert "| made | linear | the rows | 0.90 | 60 | 25 | 1 |" in draw(found)


def test_the_rate_is_of_rows_that_nothing_was_answered_of(
    tmp_path: Path,
    gateway: Gateway,
    models: dict[str, ScriptedModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from label_table import draw

    monkeypatch.setattr("label_rate.Gateway", partial(Gateway, models=models))
    monkeypatch.setattr("label_sets.POOL", 120)
    monkeypatch.setattr("label_rate.FITTED_ON", 60)
    out = tmp_path / "results.json"
    words = ["--gold", "--rate", "30"]
    found = measured(gateway, asked(out, monkeypatch, *words))["rate"]
    assert found["rows"] == 30
    assert found["ours"] > 0
    assert f"| made | linear | 30 | {found['ours']:.2f} | {found['plain']:.2f} |" in draw(
        json.loads(out.read_text())
    )
    assert measured(gateway, asked(out, monkeypatch, *words))["rate"] == found
