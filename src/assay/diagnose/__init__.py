"""Where a model fails, why, and what could be done about it."""
