"""The Vault: rows locked away before the first suggestion, read only to confirm.

Only this module reads them. Each look is claimed in the ledger before the rows are read, so
neither a second process nor a killed one can look twice.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assay.errors import InputError, VaultError
from assay.evidence.account import Account, is_retired
from assay.evidence.confirmation import Confirmation, Predict, Terms, measure, withheld
from assay.evidence.locked import SEAL, packed, read_rows, seal, sealed, set_aside, write_rows
from assay.evidence.spec import Evidence, Verdict
from assay.task import Task

if TYPE_CHECKING:
    from assay.ledger import Entry, Ledger

__all__ = ["Confirmation", "Vault"]


class Vault:
    """Locked rows and their account of looks. Use :meth:`lock` or :meth:`open`."""

    def __init__(self, folder: Path, task: Task, ledger: Ledger, account: Account) -> None:
        self.folder = folder
        self._task = task
        self._ledger = ledger
        self._account = account

    @classmethod
    def lock(
        cls,
        folder: Path,
        rows: pl.DataFrame,
        *,
        task: Task,
        ledger: Ledger,
        looks: int = 1,
        alpha: float = 0.05,
    ) -> Vault:
        """Lock rows away.

        Parameters
        ----------
        folder
            Where ``rows.parquet`` and ``seal.json`` go, readable by their owner alone.
        rows
            ``row_id``, inputs and target; every row labelled.
        looks
            How often the rows may be looked at, at ``alpha / looks`` each. Rows that were
            locked before keep the account that they have.

        Raises
        ------
        VaultError
            When the folder holds a vault in use, or these rows were retired.
        InputError
            When rows are empty, unlabelled or repeat a ``row_id``.
        """
        _check(rows, task, looks, alpha)
        if (folder / SEAL).exists():
            if not is_retired(ledger, sealed(folder)):
                raise VaultError(
                    "This folder holds a vault already.",
                    given=folder,
                    next_step="retire it first, or lock the rows in another folder",
                )
            set_aside(folder, sealed(folder))  # a process was killed while it retired it
        data, fingerprint = packed(rows)
        account = Account(fingerprint[:12], fingerprint, rows.height, looks, alpha)
        if is_retired(ledger, account.vault):
            raise VaultError(
                "These rows were a vault before and were retired: their answers are known.",
                given=account.vault,
                next_step="lock rows that were never looked at",
            )
        write_rows(folder, data)
        account = account.register(ledger)
        seal(folder, account.vault)
        return cls(folder, task, ledger, account)

    @classmethod
    def open(cls, folder: Path, *, task: Task, ledger: Ledger) -> Vault:
        """Open a locked vault.

        Raises
        ------
        VaultError
            When there is none, it was retired, the ledger does not know it, or its rows were
            edited or replaced.
        """
        vault = cls(folder, task, ledger, Account.find(ledger, sealed(folder)))
        vault._rows()
        return vault

    @property
    def id(self) -> str:
        """Twelve digits of the rows' fingerprint."""
        return self._account.vault

    @property
    def n(self) -> int:
        """Locked rows."""
        return self._account.n

    @property
    def looks(self) -> int:
        """Looks that the vault was locked with."""
        return self._account.looks

    @property
    def looks_left(self) -> int:
        """Looks that no process has claimed yet."""
        return self.looks - len(self._account.claims(self._ledger))

    @property
    def alpha_per_look(self) -> float:
        """Significance level of one look."""
        return self._account.alpha / self.looks

    def confirm(
        self,
        before: Predict,
        after: Predict,
        *,
        key: str,
        run: str | None = None,
        min_effect: float = 0.0,
        allowed_loss: float | None = 0.05,
        seed: int = 0,
    ) -> Confirmation:
        """Compare two models on the locked rows, in one look.

        Parameters
        ----------
        before, after
            Given the rows without their target, return labels, values or (n, k) probabilities
            in the order of ``task.class_names``.
        key
            Names the question, for example both recipes' hashes. The same key again returns
            the recorded answer and costs no look, also after a crash.
        allowed_loss
            Largest loss of recall of any class; None for no guards.

        Raises
        ------
        VaultError
            When no look is left, or the rows were altered.
        """
        answer = self._answered(key)
        if answer is None:
            self._account.claim(self._ledger, key, run)
            terms = Terms(
                alpha=self.alpha_per_look,
                level=0.95 if self.looks == 1 else 1 - self.alpha_per_look,
                min_effect=min_effect,
                allowed_loss=allowed_loss,
                seed=seed,
            )
            measured = measure(self._rows(), self._task, before, after, terms)
            if measured.verdict.kept or self.looks_left == 0:
                body = measured.recorded(self._ledger, run).released()
            else:
                body = withheld()
            answer = self._record(key, body, run)
        return self._released(answer)

    def is_answered(self, key: str) -> bool:
        """Whether the question that ``key`` names has its answer, so that asking costs no look."""
        return self._answered(key) is not None

    def retire(self, reason: str) -> pl.DataFrame:
        """End this vault and return its rows, which may now be trained on.

        Looks that were not used are forfeited; the ledger keeps what was confirmed. The rows
        stay beside the seal's place as ``retired-ID.parquet`` and can never be locked again.

        Raises
        ------
        InputError
            Without a reason: the record should tell why.
        """
        rows = self._rows()
        self._account.retire(self._ledger, reason)
        set_aside(self.folder, self.id)
        return rows

    def outgoing(self) -> pl.DataFrame:
        """Return the rows, for choosing others that shall replace them; retire them next."""
        return self._rows()

    @classmethod
    def give_up(cls, folder: Path, *, ledger: Ledger, reason: str) -> str:
        """End a vault whose rows were altered or lost, and return its id.

        What is left of the rows stays as ``lost-ID.parquet``; nothing is trained on it.
        """
        vault = sealed(folder)
        Account.find(ledger, vault).retire(ledger, reason)
        set_aside(folder, vault, "lost")
        return vault

    def overlap(self, others: pl.DataFrame, *, similarity: float = 0.9) -> pl.Series:
        """Return the ``row_id`` of rows that are copies or near-copies of a locked row.

        Parameters
        ----------
        others
            Rows that a model trains on: ``row_id`` and the task's inputs.
        similarity
            Share of five-character pieces that two texts must have in common (Jaccard). Rows
            without text must be equal in every input.
        """
        from assay.evidence.overlap import near_copies

        return near_copies(self._rows(), others, self._task, similarity)

    def _answered(self, key: str) -> Entry | None:
        return self._ledger.find("verdict", f"confirm:{self.id}:{key}")

    def _record(self, key: str, body: dict[str, object], run: str | None) -> Entry:
        from assay.ledger.ledger import ClaimedError

        with suppress(ClaimedError):  # a second process asked the same; its answer stands
            self._ledger.record(
                "verdict",
                {"vault": self.id, "key": key, **body},
                run=run,
                key=f"confirm:{self.id}:{key}",
                unique=True,
            )
        answer = self._answered(key)
        if answer is None:
            raise VaultError("The ledger lost the verdict of a look.", given=key)
        return answer

    def _released(self, answer: Entry) -> Confirmation:
        before, after = answer.body["before"], answer.body["after"]
        return Confirmation(
            verdict=Verdict.from_dict(answer.body["verdict"]),
            before=None if before is None else Evidence.from_dict(before),
            after=None if after is None else Evidence.from_dict(after),
            looks_left=self.looks_left,
            id=answer.id,
        )

    def _rows(self) -> pl.DataFrame:
        return read_rows(self.folder, self._account, self._ledger)


def _check(rows: pl.DataFrame, task: Task, looks: int, alpha: float) -> None:
    if looks < 1:
        raise InputError("looks must be at least one.", given=looks)
    if not 0 < alpha < 0.5:
        raise InputError("alpha must be a significance level.", given=alpha, allowed="(0, 0.5)")
    missing = [name for name in ("row_id", task.target) if name not in rows.columns]
    if missing:
        raise InputError("rows lack a column.", given=", ".join(missing))
    if rows.height == 0:
        raise InputError("rows to lock are empty.", next_step="label more rows")
    if rows["row_id"].n_unique() != rows.height:
        raise InputError("rows repeat a row_id.", next_step="give every row its own row_id")
    if rows[task.target].null_count():
        raise InputError(
            "rows to lock must all be labelled.", given=f"{rows[task.target].null_count()} are not"
        )
