"""What a worker imports before there is work, so that no fit's time holds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

PACKAGE, PLOTS = "matplotlib", "matplotlib.pyplot"


def import_ahead(modules: Sequence[str]) -> None:
    """Import modules; one that is not installed is passed over."""
    with plots_postponed():
        for each in modules:
            with suppress(ImportError):
                import_module(each)


@contextmanager
def plots_postponed() -> Iterator[None]:
    """Let ``from matplotlib import pyplot`` cost nothing before a plot is asked for.

    skrub imports it for reports that no fit draws, which takes a fifth of a worker's start. What
    is imported within gets a module that turns into the real one at its first use; who imports
    it afterwards gets the real one at once. For a process of one thread.
    """
    if PACKAGE in sys.modules:
        yield
        return
    stand_in = ModuleType(PACKAGE)
    stand_in.__path__ = []  # what else is asked of it is not found, as if it were not installed
    sys.modules |= {PACKAGE: stand_in, PLOTS: _Later(PLOTS)}
    try:
        yield
    finally:
        _end_of_the_stand_in()


class _Later(ModuleType):
    """Asks the real module of its name, which is imported when the first thing is asked."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system's own questions
            raise AttributeError(name)
        _end_of_the_stand_in()
        return getattr(import_module(self.__name__), name)


def _end_of_the_stand_in() -> None:
    if isinstance(sys.modules.get(PLOTS), _Later):
        del sys.modules[PLOTS], sys.modules[PACKAGE]
