"""Running code that a language model wrote: confined, limited, and trusted in nothing."""

from __future__ import annotations

from assay.sandbox.choosing import Sandbox, chosen, weakness
from assay.sandbox.running import run
from assay.sandbox.spec import Limits, Outcome, Protection, Value

__all__ = ["Limits", "Outcome", "Protection", "Sandbox", "Value", "chosen", "run", "weakness"]
