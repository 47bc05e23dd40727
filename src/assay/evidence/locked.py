"""The locked file and its seal: read whole and unaltered, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assay.config import write_text, writing
from assay.errors import VaultError
from assay.evidence.account import Account, is_retired

if TYPE_CHECKING:
    from assay.ledger import Ledger

ROWS = "rows.parquet"
SEAL = "seal.json"


def packed(rows: pl.DataFrame) -> tuple[bytes, str]:
    """Return rows as the bytes that are locked, and their SHA-256."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    data = buffer.getvalue()
    return data, hashlib.sha256(data).hexdigest()


def write_rows(folder: Path, data: bytes) -> None:
    """Write the locked file, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with writing(folder / ROWS, private=True) as aside:
        aside.chmod(0o600)
        aside.write_bytes(data)


def seal(folder: Path, vault: str) -> None:
    """Name the vault that this folder holds."""
    write_text(folder / SEAL, json.dumps({"vault": vault}))


def sealed(folder: Path) -> str:
    """Return the id of the vault in this folder; raise `VaultError` when there is none."""
    path = folder / SEAL
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["vault"])
    except FileNotFoundError:
        raise VaultError(
            "There is no vault here.",
            given=folder,
            next_step="lock new labelled rows: assay vault renew DATA",
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise VaultError(
            "The vault's seal is broken.", given=path, next_step="restore it from a backup"
        ) from error


def read_rows(folder: Path, account: Account, ledger: Ledger) -> pl.DataFrame:
    """Return the locked rows; raise `VaultError` unless they are the ones that were locked."""
    path = folder / ROWS
    if is_retired(ledger, account.vault):
        raise VaultError(
            "This vault was retired.",
            given=account.vault,
            next_step="lock new labelled rows: assay vault renew DATA",
        )
    if not path.exists():
        raise VaultError(
            "The locked rows are gone.",
            given=path,
            next_step="restore the file, or give them up: assay vault retire --lost",
        )
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != account.fingerprint:
        raise VaultError(
            "The locked rows were altered since they were locked.",
            given=path,
            next_step="restore the file from a backup, or give it up: assay vault retire --lost",
        )
    return pl.read_parquet(io.BytesIO(data))


def set_aside(folder: Path, vault: str, kind: str = "retired") -> None:
    """Move the rows of a closed vault out of the way, as ``retired-ID.parquet``."""
    if (folder / ROWS).exists():
        (folder / ROWS).rename(folder / f"{kind}-{vault}.parquet")
    (folder / SEAL).unlink(missing_ok=True)


def retired_rows(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the rows of every vault that was retired in this folder, by id, oldest first."""
    files = sorted(folder.glob("retired-*.parquet"), key=lambda each: each.stat().st_mtime_ns)
    return {each.stem.removeprefix("retired-"): pl.read_parquet(each) for each in files}
