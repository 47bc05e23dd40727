"""Synthetic rows that earn their place."""
