"""The vault on a real ledger: looks are counted, tampering is noticed, answers are repeated."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError, VaultError
from assay.evidence import Vault
from assay.ledger import Ledger
from assay.task import ClassDescription, Task

TASK = Task(
    kind="binary",
    modality="text",
    target="label",
    text="text",
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)


def make_rows(n: int = 200, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "row_id": [f"v{i}" for i in range(n)],
            "text": [f"message {i} about {rng.integers(1 << 40):x}" for i in range(n)],
            "label": rng.choice(["no", "yes"], n),
        }
    )


ROWS = make_rows()


def predicts(errors: float, seed: int = 1):
    """Return a model that is wrong on this share of rows; it is given no target."""
    truth = dict(ROWS.select("row_id", "label").iter_rows())
    other = {"no": "yes", "yes": "no"}

    def predict(rows: pl.DataFrame) -> np.ndarray:
        assert "label" not in rows.columns
        rng = np.random.default_rng(seed)
        right = [truth[each] for each in rows["row_id"]]
        return np.array([other[each] if rng.random() < errors else each for each in right])

    return predict


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def vault(tmp_path, ledger):
    return Vault.lock(tmp_path / "vault", ROWS, task=TASK, ledger=ledger)


def confirm(vault: Vault, key: str = "a:b", errors: float = 0.05):
    return vault.confirm(predicts(0.3), predicts(errors, seed=2), key=key)


def test_a_real_gain_is_confirmed_with_both_estimates(vault, ledger):
    found = confirm(vault)
    assert found.confirmed
    assert found.before.estimate < found.after.estimate
    gain = found.verdict.main
    assert gain.estimate == pytest.approx(found.after.estimate - found.before.estimate)
    assert ledger.get(gain.id).body["estimate"] == gain.estimate
    assert ledger.get(found.id).body["vault"] == vault.id
    assert found.looks_left == vault.looks_left == 0


def test_the_same_question_again_is_answered_from_the_record(vault, tmp_path, ledger):
    first = confirm(vault)
    again = Vault.open(tmp_path / "vault", task=TASK, ledger=ledger)

    def never(rows: pl.DataFrame) -> np.ndarray:
        raise AssertionError("the rows were read again")

    assert again.confirm(never, never, key="a:b") == first


def test_a_second_question_is_refused_with_the_reason(vault):
    confirm(vault)
    with pytest.raises(VaultError, match=r"No look.*1 of 1 looks spent.*vault renew DATA"):
        confirm(vault, "a:c")


def test_a_look_that_failed_half_way_costs_no_second_look(vault):
    def broken(rows: pl.DataFrame) -> np.ndarray:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        vault.confirm(predicts(0.3), broken, key="a:b")
    assert vault.looks_left == 0
    assert confirm(vault).confirmed
    with pytest.raises(VaultError):
        confirm(vault, "another")


def test_several_looks_share_alpha_and_release_one_bit_until_the_last(tmp_path, ledger):
    vault = Vault.lock(tmp_path / "two", ROWS, task=TASK, ledger=ledger, looks=2)
    assert vault.alpha_per_look == 0.025
    first = confirm(vault, "useless", errors=0.3)
    assert not first.confirmed
    assert first.before is None
    assert first.verdict.evidence == ()
    assert first.looks_left == 1
    assert not any(entry.kind == "evidence" for entry in ledger.entries())
    last = confirm(vault, "useful")
    assert last.confirmed
    assert last.after.interval.level == 0.975


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: ROWS.with_columns(label=pl.lit("yes")).write_parquet(path),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"),
        lambda path: path.unlink(),
    ],
    ids=["replaced", "edited", "removed"],
)
def test_altered_rows_are_noticed_on_opening_and_on_looking(vault, tmp_path, ledger, damage):
    damage(tmp_path / "vault" / "rows.parquet")
    with pytest.raises(VaultError):
        Vault.open(tmp_path / "vault", task=TASK, ledger=ledger)
    with pytest.raises(VaultError):
        confirm(vault)


def test_a_swapped_seal_or_another_ledger_is_noticed(vault, tmp_path, ledger):
    folder = tmp_path / "vault"
    with (
        Ledger.open(tmp_path / "other.db") as other,
        pytest.raises(VaultError, match="does not know"),
    ):
        Vault.open(folder, task=TASK, ledger=other)
    Vault.lock(tmp_path / "second", make_rows(seed=9), task=TASK, ledger=ledger)
    (folder / "seal.json").write_bytes((tmp_path / "second" / "seal.json").read_bytes())
    with pytest.raises(VaultError, match="altered"):
        Vault.open(folder, task=TASK, ledger=ledger)
    (folder / "seal.json").write_text("{}")
    with pytest.raises(VaultError, match="seal"):
        Vault.open(folder, task=TASK, ledger=ledger)


def test_only_the_owner_may_read_the_rows(vault, tmp_path):
    assert (tmp_path / "vault" / "rows.parquet").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700


def test_the_ledger_holds_nothing_of_the_rows(vault, ledger):
    confirm(vault)
    recorded = " ".join(str(entry.body) for entry in ledger.entries())
    assert not any(text in recorded for text in ROWS["text"])
    assert "v17" not in recorded


def test_a_vault_in_use_is_not_overwritten(vault, tmp_path, ledger):
    with pytest.raises(VaultError, match="already"):
        Vault.lock(tmp_path / "vault", make_rows(seed=3), task=TASK, ledger=ledger)


def test_a_retired_vault_gives_its_rows_and_answers_nothing_more(vault, tmp_path, ledger):
    folder = tmp_path / "vault"
    assert vault.retire("new rows came in").equals(ROWS)
    assert not (folder / "rows.parquet").exists()
    assert pl.read_parquet(folder / f"retired-{vault.id}.parquet").equals(ROWS)
    with pytest.raises(VaultError):
        confirm(vault)
    with pytest.raises(VaultError, match="answers are known"):
        Vault.lock(folder, ROWS, task=TASK, ledger=ledger)
    fresh = Vault.lock(folder, make_rows(seed=4), task=TASK, ledger=ledger)
    assert fresh.looks_left == 1


def test_the_same_rows_locked_elsewhere_keep_their_account(vault, tmp_path, ledger):
    confirm(vault)
    copy = Vault.lock(tmp_path / "copy", ROWS, task=TASK, ledger=ledger, looks=5)
    assert copy.looks_left == 0
    with pytest.raises(VaultError):
        confirm(copy, "another")


ASK = """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from test_vault import TASK, VaultError, Vault, Ledger, confirm
    with Ledger.open(Path({root!r}) / "ledger.db") as ledger:
        vault = Vault.open(Path({root!r}) / "vault", task=TASK, ledger=ledger)
        try:
            confirm(vault, sys.argv[1])
            print("answered")
        except VaultError:
            print("refused")
"""


@pytest.mark.slow
def test_of_many_processes_only_one_gets_the_look(vault, tmp_path):
    code = textwrap.dedent(ASK.format(tests=str(Path(__file__).parent), root=str(tmp_path)))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, f"question {i}"], stdout=subprocess.PIPE, env=os.environ
        )
        for i in range(4)
    ]
    told = [process.communicate()[0].decode().strip() for process in running]
    assert sorted(told) == ["answered", "refused", "refused", "refused"]


def test_copies_and_near_copies_in_the_training_rows_are_found(vault):
    text = "The quarterly report was late because the auditors asked for every single invoice."
    locked = pl.DataFrame({"row_id": ["v"], "text": [text], "label": ["no"]})
    folder = vault.folder.parent / "one"
    one = Vault.lock(folder, locked, task=TASK, ledger=vault._ledger)
    others = pl.DataFrame(
        {
            "row_id": ["exact", "shouted", "edited", "other", "empty"],
            "text": [
                text,
                text.upper().replace(" ", "  ") + "!!",
                text.replace("late", "late,"),
                "An entirely different message about the weather in the mountains today.",
                None,
            ],
        }
    )
    assert one.overlap(others).to_list() == ["exact", "shouted", "edited"]
    assert vault.overlap(others).to_list() == []


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (ROWS.head(0), {}, "empty"),
        (ROWS.drop("label"), {}, "lack a column"),
        (pl.concat([ROWS, ROWS]), {}, "repeat a row_id"),
        (ROWS.with_columns(label=None), {}, "all be labelled"),
        (ROWS, {"looks": 0}, "looks"),
        (ROWS, {"alpha": 1.5}, "alpha"),
    ],
)
def test_rows_that_cannot_be_locked_leave_nothing(tmp_path, ledger, rows, options, message):
    with pytest.raises(InputError, match=message):
        Vault.lock(tmp_path / "none", rows, task=TASK, ledger=ledger, **options)
    assert not (tmp_path / "none").exists()
