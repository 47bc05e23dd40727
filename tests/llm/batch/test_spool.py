from __future__ import annotations

import asyncio
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from assay.llm.batch.spool import Frame, Spool


@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1),
    st.sampled_from([b"", b",\n"]),
    st.integers(1, 8),
    st.integers(1, 60),
    st.data(),
)
def test_a_spool_holds_what_fits_and_what_is_kept(
    requests: list[bytes], between: bytes, most_rows: int, most_bytes: int, data: st.DataObject
) -> None:
    frame = Frame(b"head", between, b"tail", "text/plain", most_rows, most_bytes)
    with closing(Spool(frame)) as spool:
        check(spool, requests, data)


def check(spool: Spool, requests: list[bytes], data: st.DataObject) -> None:
    between, most_rows, most_bytes = (
        spool.frame.between, spool.frame.most_rows, spool.frame.most_bytes
    )  # fmt: skip
    taken = [each for each in requests if spool.add(each)]
    assert len(spool) == len(taken) <= most_rows
    assert len(between.join(taken)) <= most_bytes
    if taken:
        kept = taken[: data.draw(st.integers(1, len(taken)), label="kept")]
        spool.keep(len(kept))
        size = spool.seal()

        async def content() -> bytes:
            return b"".join([piece async for piece in spool.content()])

        for _ in range(2):  # a submission may be tried again
            assert asyncio.run(content()) == b"head" + between.join(kept) + b"tail"
            assert size == len(b"head" + between.join(kept) + b"tail")
