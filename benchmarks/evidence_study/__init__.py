"""The simulation study behind ``benchmarks/evidence.py``."""
