"""Lists a ledger's batches with their state at the provider, and cancels them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from assay.errors import AssayError, InputError
from assay.ledger import Ledger
from assay.ledger.batches import Batch, BatchBook
from assay.llm.batch.offered import batches_of
from assay.llm.batch.server import State
from assay.llm.model import Model
from assay.llm.registry import load
from assay.llm.runner import LoopThread


@dataclass(frozen=True)
class Listed:
    """One batch as it is told.

    Attributes
    ----------
    id
        The provider's name for it; our own token until that is known.
    model, question, run, rows, planned
        What was asked, how often, when (ISO 8601, UTC).
    is_open
        Whether rows of it wait to be collected.
    state
        The provider's word while it is open, else how it ended.
    done
        Requests that the provider has answered, as far as it tells.
    collected
        Rows on record here.
    money, reserved
        US dollars: spent, and held for rows not collected yet.
    why
        Why the provider could not be asked for its state.
    """

    id: str
    model: str
    question: str
    run: str
    rows: int
    planned: str
    is_open: bool
    state: str
    done: int
    collected: int
    money: float
    reserved: float
    why: str | None = None


class Desk:
    """Looks at the batches of a ledger; a context manager."""

    def __init__(self, ledger: Ledger) -> None:
        self._book = BatchBook(ledger)
        self._loop = LoopThread()
        self._models: dict[str, Model] = {}

    def listed(self) -> list[Listed]:
        """Return every batch, the newest first; providers are asked about the open ones."""
        return [self._listed(each) for each in reversed(self._book.all())]

    def cancel(self, id: str) -> Listed:  # noqa: A002 - the word for it in every surface
        """Ask the provider to stop a batch. What it answered by then is paid for.

        Raises
        ------
        InputError
            When no open batch has this id.
        ModelError
            When the provider refuses.
        """
        running = [each for each in self._book.open() if each.remote is not None]
        for each in running:
            if id in (each.remote, each.token):
                return self._told(each, self._at_provider(each, cancel=True))
        raise InputError(
            "No batch at a provider has this id.",
            given=id,
            allowed=", ".join(str(each.remote) for each in running) or None,
            next_step="list them with assay batches",
        )

    def close(self) -> None:
        """Close connections."""
        for model in self._models.values():
            self._loop.run(model.close())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listed(self, batch: Batch) -> Listed:
        if batch.ended is not None:
            return self._told(batch, State(batch.ended, ended=True))
        if batch.remote is None:
            return self._told(batch, State("not confirmed"))
        try:
            return self._told(batch, self._at_provider(batch))
        except AssayError as error:
            return self._told(batch, State("unknown"), why=error.problem)

    def _at_provider(self, batch: Batch, *, cancel: bool = False) -> State:
        if batch.model not in self._models:
            self._models[batch.model] = load(batch.model)
        server = batches_of(self._models[batch.model])
        remote = str(batch.remote)
        return self._loop.run(server.cancel(remote) if cancel else server.state(remote))

    def _told(self, batch: Batch, state: State, why: str | None = None) -> Listed:
        account = self._book.account(batch)
        return Listed(
            id=batch.remote or batch.token,
            model=batch.model,
            question=batch.question,
            run=batch.run,
            rows=batch.rows,
            planned=batch.planned.isoformat(timespec="seconds"),
            is_open=batch.ended is None,
            state=state.word.replace("_", " "),
            done=max(state.done, account.settled),
            collected=account.settled,
            money=account.money / 1e12,
            reserved=account.reserved / 1e12,
            why=why,
        )
