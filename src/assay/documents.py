"""Results that are kept as JSON and come back as they were."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Document:
    """A dataclass whose fields pydantic can write as JSON and read again."""

    def to_json(self) -> str:
        """Return the whole result as JSON."""
        return self._adapter().dump_json(self, indent=2).decode()

    def as_dict(self) -> dict[str, Any]:
        """Return the whole result as plain JSON values."""
        values: dict[str, Any] = self._adapter().dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the result that :meth:`to_json` wrote."""
        found: Self = cls._adapter().validate_json(text)
        return found

    @classmethod
    def _adapter(cls) -> TypeAdapter[Any]:
        kind: Any = cls
        return _adapter_of(kind)


@cache
def _adapter_of(kind: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
