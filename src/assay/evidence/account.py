"""The vault's account in the ledger: what was locked, which looks are claimed, what is retired."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from assay.errors import InputError, VaultError

if TYPE_CHECKING:
    from assay.ledger import Entry, Ledger


@dataclass(frozen=True)
class Account:
    """What the ledger holds about a vault.

    Attributes
    ----------
    vault
        Twelve digits of the rows' fingerprint: the same rows locked again have the same account.
    fingerprint
        SHA-256 of the locked file.
    n
        Locked rows.
    looks, alpha
        Each look is tested at ``alpha / looks``.
    """

    vault: str
    fingerprint: str
    n: int
    looks: int
    alpha: float

    def register(self, ledger: Ledger) -> Account:
        """Open the account, or return the one that these rows have already."""
        from assay.ledger.ledger import ClaimedError

        with suppress(ClaimedError):
            ledger.record("event", asdict(self), key=_key(self.vault), unique=True)
        return Account.find(ledger, self.vault)

    @classmethod
    def find(cls, ledger: Ledger, vault: str) -> Account:
        """Return a vault's account; raise `VaultError` when the ledger holds none."""
        return cls(**opening(ledger, vault).body)

    def taken(self, ledger: Ledger) -> list[Entry]:
        """Return the looks that are claimed, in order."""
        entries = (ledger.find("look", self._slot(i)) for i in range(1, self.looks + 1))
        return [entry for entry in entries if entry is not None]

    def claims(self, ledger: Ledger) -> list[str]:
        """Return the questions that hold a look, in order."""
        return [entry.body["key"] for entry in self.taken(ledger)]

    def claim(self, ledger: Ledger, key: str, run: str | None) -> None:
        """Claim a look for ``key`` unless it holds one; raise `VaultError` when none is left."""
        from assay.ledger.ledger import ClaimedError

        while key not in (claims := self.claims(ledger)):
            if len(claims) >= self.looks:
                raise VaultError(
                    "No look at the vault is left: each look makes a chance finding likelier.",
                    given=f"{self.looks} of {self.looks} looks spent",
                    next_step="label new rows and lock a new one: "
                    'assay vault renew DATA --reason "the looks are spent"',
                )
            number = len(claims) + 1
            body = {"vault": self.vault, "look": number, "key": key}
            with suppress(ClaimedError):  # another process was faster: look again
                ledger.record("look", body, run=run, key=self._slot(number), unique=True)

    def retire(self, ledger: Ledger, reason: str) -> None:
        """Close the account for good; raise `InputError` without a reason."""
        if not reason.strip():
            raise InputError("A vault is retired for a reason.", next_step="say why")
        body = {"vault": self.vault, "reason": reason}
        ledger.record("event", body, key=_retired_key(self.vault))

    def _slot(self, number: int) -> str:
        return f"{self.vault}:{number}"


def opening(ledger: Ledger, vault: str) -> Entry:
    """Return the entry that opened a vault's account; raise `VaultError` when there is none."""
    entry = ledger.find("event", _key(vault))
    if entry is None:
        raise VaultError(
            "The ledger does not know this vault.",
            given=vault,
            next_step="open it with the ledger that it was locked with",
        )
    return entry


def is_retired(ledger: Ledger, vault: str) -> bool:
    """Whether a vault's account is closed."""
    return ledger.find("event", _retired_key(vault)) is not None


def _key(vault: str) -> str:
    return f"vault:{vault}"


def _retired_key(vault: str) -> str:
    return f"vault-retired:{vault}"
