"""Objects of a JSON schema for each row: typed attributes, and spans verified against the text."""

from __future__ import annotations

from assay.label.extract.kind import Extraction
from assay.label.extract.measure import measured

__all__ = ["Extraction", "measured"]
