from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.synth.constraints import (
    AtMost,
    Between,
    Decides,
    Filled,
    Never,
    OneOf,
    SumOf,
    Whole,
    constraints_from_toml,
    constraints_to_toml,
    mine_constraints,
    read_constraints,
    require_consistent,
    require_types,
    write_constraints,
)


def orders(n: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    net, tax = random.integers(10, 900, n), random.integers(1, 90, n)
    ordered = random.integers(0, 300, n)
    city = random.choice(["Bern", "Basel", "Lyon", "Nice"], n)
    sex = random.choice(["f", "m"], n)
    return pl.DataFrame(
        {
            "net": net,
            "tax": tax,
            "gross": net + tax,
            "pieces": random.integers(1, 9, n).astype(float),
            "weight": random.normal(size=n),
            "ordered": [date(2020, 1, 1) + timedelta(int(d)) for d in ordered],
            "sent": [
                date(2020, 1, 1) + timedelta(int(d)) for d in ordered + random.integers(0, 200, n)
            ],
            "city": city,
            "country": np.where(np.isin(city, ["Bern", "Basel"]), "CH", "FR"),
            "sex": sex,
            "pregnant": np.where((sex == "f") & (random.random(n) < 0.4), "yes", "no"),
        }
    ).with_columns(pl.when(pl.int_range(pl.len()) % 7 > 0).then("weight").alias("weight"))


COLUMNS = orders(5).columns
FOUND = mine_constraints(orders(), COLUMNS)


def of(kind: type) -> list:
    return [each for each in FOUND if isinstance(each, kind)]


def test_what_was_planted_is_found_and_nothing_else_of_its_kind():
    assert of(SumOf) == [SumOf(parts=("net", "tax"), total="gross")]
    assert AtMost(smaller="ordered", greater="sent") in FOUND
    assert {each.column for each in of(Whole)} == {"pieces"}
    assert {each.column for each in of(OneOf)} == {"city", "country", "sex", "pregnant"}
    assert [(each.column, each.follows) for each in of(Decides)] == [("city", "country")]
    assert dict(of(Decides)[0].table)["Lyon"] == "FR"
    assert [each.pair for each in of(Never)] == [("sex", "pregnant")]
    assert of(Never)[0].values == (("m", "yes"),)
    assert {each.column for each in of(Filled)} == {*COLUMNS} - {"weight"}
    assert Between(column="net", low=12, high=897) in FOUND


def test_every_mined_constraint_holds_in_the_rows_that_it_was_mined_from():
    rows = orders()
    for each in FOUND:
        assert rows.select(each.holds(rows.schema).all()).item(), str(each)


@pytest.mark.parametrize(
    ("edit", "broken"),
    [
        ({"gross": 1}, SumOf),
        ({"net": 5_000_000}, Between),
        ({"pieces": 2.5}, Whole),
        ({"city": "Oslo"}, OneOf),
        ({"country": "CH", "city": "Nice"}, Decides),
        ({"sex": "m", "pregnant": "yes"}, Never),
        ({"sent": date(2019, 1, 1)}, AtMost),
        ({"tax": None}, Filled),
    ],
)
def test_a_row_that_breaks_a_constraint_is_seen(edit, broken):
    rows = orders()
    row = rows.head(1).with_columns(
        pl.lit(value, rows.schema[name]).alias(name) for name, value in edit.items()
    )
    kinds = {type(each) for each in FOUND if not row.select(each.holds(row.schema)).item()}
    assert broken in kinds


def test_few_rows_are_believed_about_nothing():
    assert mine_constraints(orders(58), COLUMNS) == ()


def test_columns_that_have_nothing_to_do_with_each_other_are_tied_by_no_rule():
    kinds = set()
    for seed in range(20):
        random = np.random.default_rng(seed)
        rows = pl.DataFrame({f"n{i}": random.integers(0, 50, 120) for i in range(4)}).with_columns(
            pl.Series(f"w{i}", random.choice(list("abcd"), 120, p=[0.5, 0.3, 0.15, 0.05]))
            for i in range(4)
        )
        kinds |= {type(each) for each in mine_constraints(rows, rows.columns)}
    assert not kinds & {SumOf, AtMost, Decides, Never}


def test_a_mined_range_leaves_out_few_rows_that_were_not_seen():
    left_out = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        (between,) = (
            each
            for each in mine_constraints(pl.DataFrame({"x": random.normal(size=59)}), ["x"])
            if isinstance(each, Between)
        )
        fresh = pl.DataFrame({"x": random.normal(size=500)})
        left_out.append(1 - fresh.select(between.holds(fresh.schema).mean()).item())
    assert np.mean(left_out) == pytest.approx(2 / 60, abs=0.01)


def test_the_file_says_the_same_again(tmp_path):
    assert constraints_from_toml(constraints_to_toml(FOUND)) == FOUND
    write_constraints(FOUND, tmp_path / "constraints.toml")
    assert read_constraints(tmp_path / "constraints.toml") == FOUND
    assert "# net + tax = gross" in constraints_to_toml(FOUND)
    assert constraints_from_toml("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constraints = 3", "not usable"),
        ("[[constraints]]\nkind = 'roughly'", "not usable"),
        ("[[constraints]]\nkind = 'between'\ncolumn = 'a'\nlow = 'x'", "not usable"),
        ("[[constraints]]\nkind = 'between'\ncolumn = 'a'\nlow = nan", "not usable"),
        ("[[constraints", "not valid TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        constraints_from_toml(text)


@pytest.mark.parametrize(
    "pair",
    [
        (Between(column="a", low=5), Between(column="a", high=4)),
        (Between(column="a", low=0.2, high=0.8), Whole(column="a")),
        (Between(column="a", low=5, high=9), OneOf(column="a", values=(1, 2))),
        (OneOf(column="a", values=("x",)), OneOf(column="a", values=("y",))),
        (Whole(column="a"), OneOf(column="a", values=(0.5,))),
        (
            Decides(column="a", follows="b", table=(("x", "y"),)),
            Decides(column="a", follows="b", table=(("x", "z"),)),
        ),
        (
            Decides(column="a", follows="b", table=(("x", "y"),)),
            OneOf(column="b", values=("z",)),
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_two_that_contradict_each_other_are_both_named(pair, turned):
    one, two = reversed(pair) if turned else pair
    with pytest.raises(InputError, match="contradict each other") as caught:
        require_consistent([Filled(column="c"), one, two])
    assert str(one) in str(caught.value)
    assert str(two) in str(caught.value)


def test_an_order_that_the_ranges_rule_out_names_both_ranges():
    low, high = Between(column="a", low=10), Between(column="b", high=5)
    with pytest.raises(InputError, match="contradict each other") as caught:
        require_consistent([AtMost(smaller="a", greater="b"), low, high])
    assert str(low) in str(caught.value)
    assert str(high) in str(caught.value)


def test_constraints_that_agree_pass():
    require_consistent(FOUND)
    require_consistent([Between(column="a", low=1, high=5), OneOf(column="a", values=(1, 9))])
    with pytest.raises(InputError, match="allows no value"):
        require_consistent([Between(column="a", low=3, high=2)])


@pytest.mark.parametrize("total", [(None, 15), (200, None)])
def test_a_sum_that_the_ranges_rule_out_names_them_all(
    total: tuple[int | None, int | None],
) -> None:
    one, two = (Between(column=name, low=10, high=90) for name in ("net", "tax"))
    gross = Between(column="gross", low=total[0], high=total[1])
    added = SumOf(parts=("net", "tax"), total="gross")
    with pytest.raises(InputError, match="contradict each other") as error:
        require_consistent((one, two, gross, added))
    assert all(str(each) in str(error.value) for each in (one, two, gross, added))
    require_consistent((one, two, Between(column="gross", low=20, high=180), added))
    require_consistent((one, two, added))
    tenth, fifth = (Between(column=n, low=v, high=v) for n, v in (("net", 0.1), ("tax", 0.2)))
    require_consistent((tenth, fifth, Between(column="gross", low=0.3, high=0.3), added))


HELD = pl.DataFrame(
    {
        "number": [1.0, 2.0, 3.0],
        "whole": [1, 2, 3],
        "word": ["a", "b", "1"],
        "truth": [True, False, True],
        "day": [date(2020, 1, number) for number in (1, 2, 3)],
    }
)


@pytest.mark.parametrize(
    ("constraint", "told"),
    [
        (Between(column="word", low=1), "word holds words"),
        (Between(column="day", low=1), "day holds dates"),
        (Between(column="number", low=date(2020, 1, 1)), "number holds numbers"),
        (Whole(column="day"), "day holds dates"),
        (AtMost(smaller="number", greater="word"), "word holds words"),
        (AtMost(smaller="day", greater="whole"), "whole holds numbers"),
        (SumOf(parts=("number", "word"), total="whole"), "word holds words"),
        (OneOf(column="number", values=("a",)), "'a'"),
        (OneOf(column="whole", values=(1, 1.5)), "1.5"),
        (OneOf(column="truth", values=("yes",)), "'yes'"),
        (Never(pair=("word", "day"), values=(("a", "soon"),)), "'soon'"),
        (Decides(column="whole", follows="truth", table=((1, 1),)), "1"),
    ],
)
def test_a_constraint_that_its_column_cannot_hold_is_refused(constraint, told):
    with pytest.raises(InputError) as caught:
        require_types([Filled(column="word"), constraint], HELD.schema)
    assert caught.value.given == told


@pytest.mark.parametrize(
    ("constraint", "held"),
    [
        (OneOf(column="number", values=(1, 2)), [True, True, False]),
        (OneOf(column="whole", values=(1.0, 2.0)), [True, True, False]),
        (OneOf(column="word", values=(1, "a")), [True, False, True]),
        (OneOf(column="truth", values=(True,)), [True, False, True]),
        (OneOf(column="day", values=("2020-01-02",)), [False, True, False]),
        (Decides(column="number", follows="whole", table=((1, 1.0), (2, 3))), [True, False, True]),
        (Never(pair=("number", "word"), values=((1, "a"),)), [False, True, True]),
        (Never(pair=("truth", "day"), values=((False, "2020-01-02"),)), [True, False, True]),
    ],
)
def test_a_stated_value_is_read_as_its_column_holds_it(constraint, held):
    require_types([constraint], HELD.schema)
    found = HELD.select(constraint.holds(HELD.schema).alias("holds"))["holds"]
    assert found.to_list() == held


X, Y = OneOf(column="a", values=("x",)), OneOf(column="b", values=("y",))
NOT_BOTH = Never(pair=("a", "b"), values=(("x", "y"),))
BETWEEN = (AtMost(smaller="a", greater="b"), AtMost(smaller="b", greater="c"))


@pytest.mark.parametrize(
    "together",
    [
        (X, Y, NOT_BOTH),
        (X, Decides(column="a", follows="b", table=(("x", "y"),)), NOT_BOTH),
        (Between(column="a", low=10), Between(column="c", high=5), *BETWEEN),
        (OneOf(column="a", values=(9,)), OneOf(column="b", values=(1, 2)), BETWEEN[0]),
        (
            Between(column="a", low=1.2, high=2.5),
            Between(column="a", low=0.5, high=1.8),
            Whole(column="a"),
        ),
        (
            Between(column="a", low=10),
            Between(column="b", low=0),
            Between(column="t", high=5),
            SumOf(parts=("a", "b"), total="t"),
        ),
        (
            Between(column="a", low=date(2020, 1, 1)),
            Between(column="b", high=datetime(2019, 5, 1, 12)),
            BETWEEN[0],
        ),
    ],
)
def test_what_contradicts_over_several_columns_is_named_by_its_entries(together):
    beside = Between(column="other", low=1, high=2)
    with pytest.raises(InputError, match="contradict each other") as caught:
        require_consistent((beside, *together))
    for number, each in enumerate(together, start=2):
        assert f"{each} (entry {number})" in str(caught.value)
        require_consistent([one for one in together if one is not each])
    assert str(beside) not in str(caught.value)


@pytest.mark.parametrize(
    "together",
    [
        (X, OneOf(column="b", values=("y", "z")), NOT_BOTH),
        (X, OneOf(column="a", values=("x", "y"))),
        (OneOf(column="a", values=(1,)), OneOf(column="a", values=(1.0,)), Whole(column="a")),
        (OneOf(column="a", values=("2020-01-02",)), Between(column="a", low=date(2020, 1, 1))),
        (Between(column="a", low=date(2020, 1, 1), high=datetime(2020, 1, 1, 6)),),
        (*BETWEEN, AtMost(smaller="c", greater="a"), Between(column="a", low=3, high=3)),
    ],
)
def test_what_a_row_can_keep_is_accepted(together):
    require_consistent(together)


def test_one_that_decides_a_value_twice_is_named():
    twice = Decides(column="a", follows="b", table=(("x", "y"), ("x", "z")))
    with pytest.raises(InputError, match=r"allows no value: a decides b \(entry 2\)"):
        require_consistent((X, twice))


def test_columns_may_be_called_as_counts_are() -> None:
    words = ["few", "many"] * 60
    rows = pl.DataFrame({"count": words, "rows": words, "different": words, "proportion": words})
    table = (("few", "few"), ("many", "many"))
    assert Decides(column="count", follows="rows", table=table) in mine_constraints(
        rows, rows.columns
    )
