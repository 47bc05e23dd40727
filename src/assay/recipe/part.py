"""What every part of a recipe has: it is immutable, and is written without its defaults."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen model that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def plain(self) -> dict[str, Any]:
        """Return what differs from the defaults, and the kind, as plain values.

        A field that a later version adds leaves the text and the hash of older recipes alone.
        """
        fields = type(self).model_fields
        values = {name: getattr(self, name) for name in fields}
        return {
            name: _plain(value)
            for name, value in values.items()
            if name in ("kind", "format")
            or value != fields[name].get_default(call_default_factory=True)
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.plain()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
