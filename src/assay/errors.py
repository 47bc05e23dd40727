"""What can go wrong, told so that the reader knows what to do next.

    AssayError                  exit code 2; everything below
    ├── InputError              a parameter, column, file or row is not usable
    ├── ProjectError            a project folder is absent, taken, newer or damaged
    ├── AssetError              a pinned file could not be fetched or verified
    ├── MissingExtraError       an optional part is not installed
    ├── ModelError              a language model could not be reached or understood
    │   └── BudgetError         a cap in money, calls, tokens or minutes was reached
    ├── VaultError              the locked rows were altered, or all looks are spent
    └── LedgerError             the durable record is unreadable or would be altered

Every message has up to four parts: what is wrong, what was given, what is allowed,
and what to do next. Secrets and whole rows never appear in any of them.
"""

from __future__ import annotations

from typing import Any

MAX_SHOWN = 120


class AssayError(Exception):
    """Base of every error that a user is meant to read.

    Parameters
    ----------
    problem
        What is wrong, in one sentence that names the parameter.
    given
        What was given; shortened to 120 characters when shown.
    allowed
        What would have been accepted.
    next_step
        What to do next, as an instruction.
    """

    exit_code = 2

    def __init__(
        self,
        problem: str,
        *,
        given: object = None,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.problem = problem
        self.given = None if given is None else shorten(str(given))
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.problem]
        if self.given is not None:
            parts.append(f"Given: {self.given}.")
        if self.allowed is not None:
            parts.append(f"Allowed: {self.allowed}.")
        if self.next_step is not None:
            parts.append(f"Next: {self.next_step}.")
        return " ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process raise the same error here."""
        return _rebuilt, (type(self), self.__dict__, self.args)

    def as_dict(self) -> dict[str, str]:
        """Return the parts that are present, for ``--json``."""
        parts = {
            "error": type(self).__name__,
            "problem": self.problem,
            "given": self.given,
            "allowed": self.allowed,
            "next_step": self.next_step,
        }
        return {name: part for name, part in parts.items() if part is not None}


class InputError(AssayError):
    """A parameter, column, file or row is not usable."""


class ProjectError(AssayError):
    """A project folder is absent, already taken, of a newer version, or damaged."""


class AssetError(AssayError):
    """A pinned file could not be fetched or verified."""


class MissingExtraError(AssayError):
    """An optional part is not installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(f"{part} is not installed.", next_step=f"pip install 'assay[{extra}]'")


class ModelError(AssayError):
    """A language model could not be reached, or its answer not understood."""


class BudgetError(ModelError):
    """A cap in money, calls, tokens or minutes was reached."""


class VaultError(AssayError):
    """The locked rows were altered, or every look at them is spent."""


class LedgerError(AssayError):
    """The durable record is unreadable, or a change to it was refused."""


def _rebuilt(
    kind: type[AssayError], parts: dict[str, Any], arguments: tuple[Any, ...]
) -> AssayError:
    error = kind.__new__(kind)
    error.__dict__.update(parts)
    error.args = arguments
    return error


def shorten(text: str, limit: int = MAX_SHOWN) -> str:
    """Return ``text`` on one line, cut to ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
