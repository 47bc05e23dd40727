"""The policy: which models may be asked, and what is taken out of a prompt first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assay.errors import InputError, ModelError
from assay.llm.privacy.columns import CheckedPrompts
from assay.llm.prompt import Prompt

HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Privacy(BaseModel):
    """What may leave this machine.

    Attributes
    ----------
    policy
        ``local``: only models on this machine are asked. ``redact``: identifiers and secrets
        are replaced by placeholders first. ``remote``: prompts leave as they are.
    patterns
        The user's own identifiers: kind to regular expression.
    columns
        Columns that never leave, whatever the policy.
    hosts
        Where given, the only hosts that may be asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["local", "redact", "remote"] = "local"
    patterns: dict[str, str] = Field(default_factory=dict)
    columns: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @field_validator("patterns")
    @classmethod
    def _usable(cls, patterns: dict[str, str]) -> dict[str, str]:
        for kind, pattern in patterns.items():
            if not re.fullmatch(r"[A-Z][A-Z0-9_]*", kind):
                raise ValueError(f"the kind {kind!r} must be in capitals, for example BADGE")
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern of {kind} is not usable: {error}") from error
        return patterns

    @field_validator("hosts")
    @classmethod
    def _bare(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if "/" in host or not host.strip():
                raise ValueError(f"{host!r} must be a host alone, for example api.openai.com")
        return tuple(host.strip().lower() for host in hosts)

    def check(self, name: str, host: str | None) -> None:
        """Raise `ModelError` where this policy forbids to ask a model.

        Parameters
        ----------
        name
            The model's name.
        host
            Where it is asked; None for a model in this process.
        """
        if is_here(host):
            return
        if self.policy == "local":
            raise ModelError(
                "The project's privacy policy allows only models on this machine.",
                given=f"{name} at {host}",
                next_step="set privacy to redact or remote in assay.toml to send data there",
            )
        if self.hosts and host not in self.hosts:
            raise ModelError(
                "The project's privacy policy does not allow this host.",
                given=host,
                allowed=", ".join(self.hosts),
            )

    def check_columns(
        self, columns: tuple[str, ...] | None, *, name: str, host: str | None
    ) -> None:
        """Raise `InputError` where what was made of ``columns`` must not go to a model.

        Parameters
        ----------
        columns
            See :class:`~assay.llm.Prompt`.
        name, host
            As for :meth:`check`.
        """
        if not self.columns or is_here(host):
            return
        if columns is None:
            raise InputError(
                "Some columns must not leave this machine, and a text does not say which columns"
                " it was made of.",
                given=f"{name} at {host}",
                next_step="name them: Prompt(columns=…), or columns= of embed",
            )
        kept = [each for each in columns if each in self.columns]
        if kept:
            raise InputError(
                f"{', '.join(map(repr, kept))} must not leave this machine, and the model is"
                " elsewhere.",
                given=f"{name} at {host}",
                next_step="ask a model on this machine, or take it out of privacy.columns in"
                " assay.toml",
            )

    def checked(
        self, prompts: Sequence[Prompt], *, name: str, host: str | None
    ) -> Sequence[Prompt]:
        """Return ``prompts``, each checked by :meth:`check_columns` when it is read."""
        if not self.columns or is_here(host):
            return prompts
        return CheckedPrompts(
            prompts, lambda columns: self.check_columns(columns, name=name, host=host)
        )


def is_here(host: str | None) -> bool:
    """Whether a host is this machine; None is a model in this process."""
    return host is None or host in HERE


def host_of(model: Any) -> str | None:
    """Return the host that a model is asked at; None for one in this process."""
    connection = getattr(model, "connection", None)
    if connection is None:
        return None
    return urlsplit(connection.base).hostname or ""
