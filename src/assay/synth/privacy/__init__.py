"""What made rows give away of real people."""

from __future__ import annotations

from assay.synth.privacy.distances import Distances
from assay.synth.privacy.report import (
    PrivacyLimits,
    PrivacyReport,
    k_anonymity,
    measure_privacy,
)

__all__ = ["Distances", "PrivacyLimits", "PrivacyReport", "k_anonymity", "measure_privacy"]
