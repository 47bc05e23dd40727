"""The study of planted faults behind ``benchmarks/diagnose.py``."""
