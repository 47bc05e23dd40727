"""Rows of a table under differential privacy."""

from __future__ import annotations

from assay.synth.private.making import PRIVATE, private_rows
from assay.synth.private.noise import OpenDPNoise, SeededNoise
from assay.synth.private.stated import require_stated

__all__ = ["PRIVATE", "OpenDPNoise", "SeededNoise", "private_rows", "require_stated"]
