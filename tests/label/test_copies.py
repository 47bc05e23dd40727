from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assay.label.copies import Copies, CopyRule

STORY = (
    "The council voted on Tuesday to close the harbour for repairs until the end of the year, "
    "and fishermen who keep their boats there said that they had not been asked. "
)


def copied(texts: list[str], rule: CopyRule = "exact", **limits: int) -> list[str | None]:
    ids = [str(row) for row in range(len(texts))]
    found = Copies(rule, **limits).originals(ids, texts)
    for row, each in enumerate(found):
        if each.row_id is None:
            assert each.text == texts[row]
        else:
            assert each.text == texts[int(each.row_id)], "asked with the original's own text"
    return [each.row_id for each in found]


def test_white_space_and_case_alone_make_no_new_row() -> None:
    texts = ["A ship  sank.", "a ship\nsank.", "A ship sank!", " A SHIP SANK. "]
    assert copied(texts) == [None, "0", None, "0"]
    assert copied(texts, "off") == [None] * 4


def test_near_copies_share_nine_tenths() -> None:
    near = STORY * 2 + "More at nine."
    other = STORY.replace("harbour", "school").replace("boats", "children").upper()
    assert copied([STORY * 2, near, other], "near") == [None, "0", None]
    assert copied([STORY * 2, near, other]) == [None] * 3


def test_short_and_strange_texts_are_compared_too() -> None:
    texts = ["", "a", "b", "🦆", "\ud800", "مرحبا بالعالم", "x" * 1_000_000, "x" * 999_999]
    assert copied(texts, "near") == [None] * 7 + ["6"]


def test_memory_is_bounded_by_forgetting_the_longest_unseen() -> None:
    texts = ["first", *(f"row {n}" for n in range(50)), "first"]
    assert copied(texts)[-1] == "0"
    assert copied(texts, most_bytes=2000)[-1] is None
    often = ["first"] + [each for n in range(50) for each in (f"row {n}", "first")]
    assert set(copied(often, most_bytes=2000)[2::2]) == {"0"}, "what is seen again is kept"
    held = Copies("near", most_bytes=5000)
    held.originals([str(n) for n in range(300)], [f"{STORY} {n}" * 3 for n in range(300)])
    assert len(held._known) == len(held._near._marks) < 20  # type: ignore[union-attr]


@given(st.lists(st.sampled_from(["a b", "A  b", "c", "d", "C "]), max_size=30), st.integers(1, 29))
def test_portions_make_no_difference(texts: list[str], cut: int) -> None:
    ids = [str(row) for row in range(len(texts))]
    whole = Copies().originals(ids, texts)
    apart = Copies()
    parts = apart.originals(ids[:cut], texts[:cut]) + apart.originals(ids[cut:], texts[cut:])
    assert parts == whole
