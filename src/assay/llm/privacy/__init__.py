"""What may leave this machine: a policy, and redaction of what must not."""

from __future__ import annotations

from assay.llm.privacy.policy import Privacy

__all__ = ["Privacy"]
