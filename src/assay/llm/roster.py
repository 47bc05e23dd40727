"""Models by name, as the privacy policy lets them be asked, and what they cost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from assay.llm.model import Model, Price
from assay.llm.pricing import is_priced, price_of
from assay.llm.privacy.policy import Privacy, host_of, is_here
from assay.llm.registry import load


class Roster:
    """Loads each model once, and checks it against the policy before it is first asked.

    Parameters
    ----------
    models, prices
        Given by the user, by model name; others are loaded and looked up.
    unpriced_ok
        Whether a model without a known price may be asked.
    privacy
        What may leave this machine.
    """

    def __init__(
        self,
        models: Mapping[str, Any],
        prices: Mapping[str, Price],
        *,
        unpriced_ok: bool,
        privacy: Privacy,
    ) -> None:
        self._models = dict(models)
        self._own, self._prices = prices, dict(prices)
        self._unpriced_ok = unpriced_ok
        self._privacy = privacy
        self._checked: set[str] = set()
        self._lock = threading.Lock()

    def model(self, name: str) -> Any:
        """Return the model of that name, redacted where the policy says so."""
        with self._lock:
            if name not in self._models:
                self._models[name] = load(name)
            if name not in self._checked:
                self._models[name] = self._private(name, self._models[name])
                self._checked.add(name)
            return self._models[name]

    def described(self, name: str) -> Any:
        """Return the model; None for one on this machine that is not loaded yet."""
        return None if name.startswith("local:") and name not in self._models else self.model(name)

    def price(self, name: str) -> Price:
        """Return what a token of that model costs."""
        if name not in self._prices:
            self._prices[name] = price_of(name, {}, unpriced_ok=self._unpriced_ok)
        return self._prices[name]

    def is_priced(self, name: str) -> bool:
        """Whether what a token of that model costs is known; it may be asked all the same."""
        return is_priced(name, self._own)

    def remote(self) -> Iterator[Model]:
        """Return the loaded models that hold connections."""
        return (each for each in self._models.values() if isinstance(each, Model))

    def _private(self, name: str, model: Any) -> Any:
        host = host_of(model)
        self._privacy.check(name, host)
        if self._privacy.policy != "redact" or is_here(host):
            return model
        from assay.llm.privacy.redaction import RedactedModel, Redactor

        return RedactedModel(model, Redactor(self._privacy.patterns))
