"""Packages that are also functions: ``assay.improve(project)`` beside ``assay.improve.events``.

A package and its one public function share a name, and Python binds whichever was imported
last. Making the module itself callable lets both spellings work in any order of imports.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A package that, when called, calls its public function of the same name."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the package's function."""
        return vars(self)[self.__name__.rpartition(".")[2]](*args, **options)


def make_callable(module_name: str) -> None:
    """Let the module of that name be called; it defines a function named as itself."""
    sys.modules[module_name].__class__ = CallableModule
