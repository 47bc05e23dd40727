"""A project's vault at the end of its looks: retired, and new labelled rows locked instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assay.config import writing
from assay.errors import InputError, VaultError
from assay.evidence import Vault
from assay.evidence.account import is_retired
from assay.evidence.locked import SEAL, retired_rows, sealed
from assay.evidence.status import VaultStatus, vault_status
from assay.project.create import DATA, VAULT
from assay.project.fresh import fresh_rows
from assay.tables import ROW_ID, VAULT_MINIMUM

if TYPE_CHECKING:
    from assay.project.project import Project


@dataclass(frozen=True)
class Retired:
    """A vault that was ended; ``to_search`` of its rows may be trained on from now on."""

    vault: str
    rows: int
    to_search: int


@dataclass(frozen=True)
class Renewed:
    """New rows under lock.

    Attributes
    ----------
    retired
        The vault that they replace, where one was still in use.
    left_out
        How many of the given rows were not locked, by reason.
    """

    status: VaultStatus
    retired: Retired | None
    left_out: Mapping[str, int]


def status(project: Project) -> VaultStatus:
    """Return where the project's vault stands; raise `VaultError` when it has none."""
    return vault_status(_folder(project), project.ledger())


def retire(
    project: Project, reason: str, *, to_search: bool = False, lost: bool = False
) -> Retired:
    """End the project's vault; until another is locked nothing can be confirmed.

    Parameters
    ----------
    reason
        Why; the ledger keeps it.
    to_search
        Train on its rows from now on. Also for a vault that was retired before.
    lost
        Give up rows that were altered or are gone; none of them is trained on.

    Raises
    ------
    VaultError
        When there is no vault, or its rows were altered and ``lost`` is not set.
    InputError
        Without a reason, or with both ``lost`` and ``to_search``.
    """
    if lost and to_search:
        raise InputError("Rows that were altered or lost cannot be trained on.")
    folder, ledger = _folder(project), project.ledger()
    if lost:
        rows = status(project).rows
        return Retired(Vault.give_up(folder, ledger=ledger, reason=reason), rows, 0)
    if to_search and not _in_use(project) and (retired := retired_rows(folder)):
        return _to_search(project, next(reversed(retired)))
    vault = project.vault()
    rows = vault.retire(reason).height
    return _to_search(project, vault.id) if to_search else Retired(vault.id, rows, 0)


def renew(
    project: Project,
    table: Any,
    *,
    reason: str | None = None,
    looks: int = 1,
    to_search: bool = False,
) -> Renewed:
    """Lock a new vault of labelled rows that nothing was trained on.

    Parameters
    ----------
    table
        Rows as :meth:`Project.create` takes them; those with a label are locked. A table of
        ``row_id`` and the target alone labels rows of the pool, which leave the pool.
    reason
        Why the vault in use is retired; required while there is one.
    looks
        How often the new vault may be looked at, at .05 / looks each.
    to_search
        Train on the retired rows from now on.

    Raises
    ------
    VaultError
        When a vault is in use and no reason was given to retire it.
    InputError
        When fewer than 100 of the rows are fresh: not searched on, not looked at before, and
        not among the rows that the recipe trains on.
    """
    folder, ledger = _folder(project), project.ledger()
    if _in_use(project) and reason is None:
        raise VaultError(
            "A vault is in use.",
            given=f"looks left: {status(project).looks_left}",
            next_step="say why it is retired: --reason TEXT",
        )
    known = [project.search(), *retired_rows(folder).values()]
    if _in_use(project):
        known.append(project.vault().outgoing())
    fresh = fresh_rows(project, table, known)
    if fresh.rows.height < VAULT_MINIMUM:
        left_out = "; ".join(f"{count} {why}" for why, count in fresh.left_out.items())
        raise InputError(
            f"A vault needs at least {VAULT_MINIMUM} fresh labelled rows.",
            given=f"{fresh.rows.height} rows" + (f" ({left_out} left out)" if left_out else ""),
            next_step="label more rows, drawn at random",
        )
    retired = None
    with writing(project.state / DATA / "pool.parquet") as aside:
        fresh.pool.write_parquet(aside)
        if _in_use(project):
            retired = retire(project, reason or "", to_search=to_search)
        vault = Vault.lock(folder, fresh.rows, task=project.task, ledger=ledger, looks=looks)
    body = {
        "vault": vault.id,
        "retired": None if retired is None else retired.vault,
        "rows": vault.n,
        "left_out": fresh.left_out,
    }
    ledger.record("event", body, key=f"vault-renewed:{vault.id}")
    return Renewed(status(project), retired, fresh.left_out)


def _to_search(project: Project, vault: str) -> Retired:
    """Append every retired row that is not there yet to the search rows."""
    search = project.search()
    rows = pl.concat(retired_rows(_folder(project)).values()).select(search.columns)
    new = rows.join(search, on=ROW_ID, how="anti", maintain_order="left")
    with writing(project.state / DATA / "search.parquet") as aside:
        pl.concat([search, new.cast(search.schema)]).write_parquet(aside)
    body = {"vault": vault, "rows": new.height}
    project.ledger().record("event", body, key=f"vault-to-search:{vault}")
    return Retired(vault, rows.height, new.height)


def _in_use(project: Project) -> bool:
    folder = _folder(project)
    return (folder / SEAL).exists() and not is_retired(project.ledger(), sealed(folder))


def _folder(project: Project) -> Path:
    return project.state / VAULT
