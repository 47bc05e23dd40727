"""Where a vault stands: what was locked, which looks were taken, whether it is unaltered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import VaultError
from assay.evidence.account import Account, opening
from assay.evidence.locked import read_rows, sealed

if TYPE_CHECKING:
    from assay.ledger import Ledger


@dataclass(frozen=True)
class Look:
    """One look that was taken: for which question, when, and where the ledger holds it."""

    question: str
    time: datetime
    id: str


@dataclass(frozen=True)
class VaultStatus:
    """Where a vault stands.

    Attributes
    ----------
    alpha
        Of the whole account; each look is tested at ``alpha_per_look``.
    locked
        When, UTC.
    problem
        What is wrong with the locked file, or None.
    """

    vault: str
    rows: int
    looks: int
    alpha: float
    locked: datetime
    taken: tuple[Look, ...]
    problem: VaultError | None = None

    @property
    def looks_left(self) -> int:
        """Looks that nobody has claimed yet."""
        return self.looks - len(self.taken)

    @property
    def alpha_per_look(self) -> float:
        """Significance level of one look."""
        return self.alpha / self.looks

    @property
    def alpha_left(self) -> float:
        """What the account still holds."""
        return self.looks_left * self.alpha_per_look

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {
            "vault": self.vault,
            "rows": self.rows,
            "locked": self.locked.isoformat(),
            "looks": self.looks,
            "looks_left": self.looks_left,
            "alpha": self.alpha,
            "alpha_per_look": self.alpha_per_look,
            "alpha_left": self.alpha_left,
            "taken": [
                {"question": each.question, "time": each.time.isoformat(), "id": each.id}
                for each in self.taken
            ],
            "intact": self.problem is None,
            "problem": None if self.problem is None else str(self.problem),
        }


def vault_status(folder: Path, ledger: Ledger) -> VaultStatus:
    """Return where the vault in ``folder`` stands; altered rows are told, not raised.

    Raises
    ------
    VaultError
        When there is no vault, its seal is broken, or the ledger does not know it.
    """
    entry = opening(ledger, sealed(folder))
    account = Account(**entry.body)
    problem = None
    try:
        read_rows(folder, account, ledger)
    except VaultError as error:
        problem = error
    return VaultStatus(
        vault=account.vault,
        rows=account.n,
        looks=account.looks,
        alpha=account.alpha,
        locked=entry.time,
        taken=tuple(Look(each.body["key"], each.time, each.id) for each in account.taken(ledger)),
        problem=problem,
    )
