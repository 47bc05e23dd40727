"""``assay.toml`` both ways: the task, the seed, the gate, the caps, the models."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assay.errors import InputError, ProjectError
from assay.evidence.screening import ALPHA, Mode
from assay.llm import Budget
from assay.llm.caches import Cache
from assay.llm.model import Price
from assay.llm.pricing import per_million
from assay.llm.privacy import Privacy
from assay.recipe import toml_item
from assay.recipe.text import checked
from assay.task import METRICS_OF_KIND, Task

if TYPE_CHECKING:
    from tomlkit.items import Table

FORMAT: Literal[1] = 1


class Models(BaseModel):
    """Which models are asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = "local:smollm2-135m"
    embed: str = "local:minilm"


class TokenPrice(BaseModel):
    """US dollars for a million tokens, as providers print them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: float = Field(ge=0)
    write: float = Field(ge=0)

    @property
    def price(self) -> Price:
        """The price of one token."""
        return per_million(self.read, self.write)


class Synth(BaseModel):
    """What made rows may do.

    Attributes
    ----------
    propose
        Whether ``assay improve`` tries made rows where they are lacking.
    copies
        Largest share of made rows that may copy, or nearly copy, a search row; beyond it they are
        not released.
    runs
        Largest share of made texts that may hold a long run of a real text; 1 sets no limit, as
        an edited text is made of such runs.
    close
        Largest share of made rows of a table that may lie closer to a real row than real rows to
        each other; ``runs`` is the limit for texts.
    risk
        Largest success of a privacy attack beyond its control; 1 sets no limit, and releases rows
        that no attack could be made on.
    membership
        Largest share of the real texts that may be recognised by the made ones, beyond the
        control; 1 sets no limit, as an edited text gives its original away.
    epsilon, delta, ranges
        What rows made by the method ``private`` may spend, and what of a column is public: the
        least and greatest number or date, or all levels.
    constraints_public
        Whether ``constraints.toml`` tells only what is public, so that such rows may keep to it.
    quasi_identifiers, k
        Columns by which a person could be known, and how many made rows must share them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    propose: bool = False
    copies: float = Field(default=0.0, ge=0, le=1)
    runs: float = Field(default=1.0, ge=0, le=1)
    close: float = Field(default=0.15, ge=0, le=1)
    risk: float = Field(default=0.1, ge=0, le=1)
    membership: float = Field(default=1.0, ge=0, le=1)
    epsilon: float = Field(default=1.0, gt=0)
    delta: float = Field(default=1e-6, gt=0, lt=1)
    ranges: dict[str, tuple[float, float] | tuple[str, ...]] = Field(default_factory=dict)
    constraints_public: bool = False
    quasi_identifiers: tuple[str, ...] = ()
    k: int = Field(default=1, ge=1)


class Settings(BaseModel):
    """What governs a project's runs.

    Attributes
    ----------
    seed
        All randomness derives from it.
    min_effect
        Smallest gain worth having, in the metric's unit.
    mode
        ``screen``; ``explore`` keeps at p < .10; ``strict`` holds the false discovery rate over
        all proposals of a run, at a price in power. See :class:`assay.evidence.Screening`.
    alpha
        One-sided significance level of the mode ``screen``.
    max_class_loss
        Largest loss of recall that any class may suffer, as a share.
    budget
        Hard caps of a run; no cap where absent.
    privacy
        What may leave this machine; by default nothing.
    cache
        How answers and embeddings are kept beside the ledger.
    synth
        What made rows may do.
    prices
        The user's own prices by model name, in US dollars for a million tokens.
    unpriced_ok
        Whether a remote model without a known price may be asked.
    ledger
        A database URL in place of the project's own SQLite file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)
    min_effect: float = Field(default=0.0, ge=0)
    mode: Mode = "screen"
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    max_class_loss: float = Field(default=0.05, ge=0, le=1)
    budget: Budget = Budget()
    models: Models = Models()
    privacy: Privacy = Privacy()
    cache: Cache = Cache()
    synth: Synth = Synth()
    prices: dict[str, TokenPrice] = Field(default_factory=dict)
    unpriced_ok: bool = False
    ledger: str | None = None

    @property
    def level(self) -> float:
        """One-sided significance level of a single proposal in the mode."""
        return self.alpha if self.mode == "screen" else ALPHA[self.mode]

    @field_validator("budget", mode="before")
    @classmethod
    def _known_caps(cls, given: Any) -> Any:
        unknown = set(given) - set(BUDGET) if isinstance(given, dict) else set()
        if unknown:
            raise ValueError(f"{min(unknown)!r} is no cap; caps are {', '.join(BUDGET)}")
        return given


class ProjectFile(BaseModel):
    """All that ``assay.toml`` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    settings: Settings = Settings()
    task: Task


BUDGET = {
    "money": ("5.0", "US dollars"),
    "calls": ("10000", "requests to models"),
    "tokens": ("5000000", "read and written together"),
    "minutes": ("30", "wall time"),
}
"""The caps, an example of each, and its unit."""

PRIVACY = {
    "columns": ('["customer"]', "never leave this machine, whatever the policy"),
    "hosts": ('["api.openai.com"]', "the only hosts that may be asked"),
    "patterns": ("{ BADGE = 'B-\\d{4}' }", "identifiers of your own, redacted too"),
}
"""What else may be said about privacy, an example of each, and what it does."""

COMMENTS = {
    "seed": "all randomness derives from it",
    "min_effect": "smallest gain worth having, in the metric's unit",
    "mode": "screen; explore keeps at p < .10, strict holds the false discovery rate",
    "alpha": "one-sided significance level of the screen",
    "max_class_loss": "largest loss of recall that any class may suffer",
    "policy": "local: only models on this machine are asked; or redact, remote",
    "shared": "whether answers and embeddings are shared with your other projects",
    "megabytes": "most MiB of each cache; the longest unused goes first",
    "label": "asked for labels",
    "embed": "turns texts into vectors",
    "guidelines": "what an annotator should know, in plain words",
}


def to_toml(file: ProjectFile, facts: Mapping[str, str]) -> str:
    """Return ``file`` as commented TOML; ``facts`` are told in the header."""
    import tomlkit

    settings = file.settings
    document = tomlkit.document()
    document.add(tomlkit.comment("An Assay project. Edit it freely; every run reads it anew."))
    for name, fact in facts.items():
        document.add(tomlkit.comment(f"{name}: {fact}"))
    document.add("format", tomlkit.item(file.format))
    apart = {"budget", "models", "privacy", "prices", "cache", "synth"}
    main = _table(settings.model_dump(exclude=apart))
    main.add("privacy", _privacy_table(settings.privacy))
    main.add("cache", _table(settings.cache.model_dump()))
    if settings.synth != Synth():
        main.add("synth", _table(settings.synth.model_dump(mode="json")))
    main.add("models", _table(settings.models.model_dump()))
    if settings.prices:
        main.add("prices", toml_item({k: v.model_dump() for k, v in settings.prices.items()}))
    main.add("budget", _budget_table(asdict(settings.budget)))
    document.add("settings", main)
    document.add("task", _task_table(file.task))
    return tomlkit.dumps(document)


def _table(values: Mapping[str, Any]) -> Table:
    import tomlkit

    made = tomlkit.table()
    for name, value in values.items():
        if value is None or value == []:
            continue
        item = toml_item(value)
        if name in COMMENTS:
            item.comment(COMMENTS[name])
        made.add(name, item)
    return made


def _privacy_table(privacy: Privacy) -> Table:
    """Return what may leave; what is not set is shown as a comment."""
    import tomlkit

    values = privacy.model_dump(mode="json")
    made = _table({"policy": values["policy"]})
    for name, (example, about) in PRIVACY.items():
        if values[name]:
            item = toml_item(values[name])
            item.comment(about)
            made.add(name, item)
        else:
            made.add(tomlkit.comment(f"{name} = {example} # {about}"))
    return made


def _budget_table(caps: Mapping[str, float | None]) -> Table:
    """Return the caps; one that is not set is shown as a comment."""
    import tomlkit

    made = tomlkit.table()
    made.add(tomlkit.comment("Hard caps of a run; no cap where a line is absent."))
    for name, (example, unit) in BUDGET.items():
        if caps[name] is None:
            made.add(tomlkit.comment(f"{name} = {example} # {unit}"))
        else:
            made.add(name, caps[name])
            made[name].comment(unit)
    return made


def _task_table(task: Task) -> Table:
    import tomlkit

    made = _table(task.model_dump(mode="json", exclude={"classes"}))
    made["metric"].comment("or " + ", ".join(_other_metrics(task)))
    if task.classes:
        about = "The classes, in order. Say what each means: language models read it."
        made.add(tomlkit.comment(about))
        classes = tomlkit.aot()
        for each in task.classes:
            classes.append(_table(each.model_dump()))
        made.add("classes", classes)
    return made


def _other_metrics(task: Task) -> list[str]:
    return [each for each in METRICS_OF_KIND[task.kind] if each != task.metric]


def from_toml(data: bytes) -> ProjectFile:
    """Return what ``assay.toml`` says.

    Raises
    ------
    ProjectError
        When it was written by a newer version.
    InputError
        When it is no TOML, or a value is not usable.
    """
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"assay.toml is not valid TOML: {error}.", next_step="mend it") from error
    found = values.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise ProjectError(
            "This project was made by a newer version of Assay.",
            given=f"format = {found}",
            allowed=f"format = {FORMAT}",
            next_step="pip install --upgrade assay",
        )
    return checked(ProjectFile, values, "assay.toml")
