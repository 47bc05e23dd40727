"""Why findings fail: a language model states hypotheses, and rows it has not seen judge them."""
