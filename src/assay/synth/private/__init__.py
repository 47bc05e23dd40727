"""Rows of a table under differential privacy."""

from __future__ import annotations

from assay.synth.private.making import PRIVATE, private_rows
from assay.synth.private.noise import OpenDPNoise, SeededNoise

__all__ = ["PRIVATE", "OpenDPNoise", "SeededNoise", "private_rows"]
