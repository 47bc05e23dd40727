"""The command line: what a person types. Commands are thin; the work is in the library.

A command's module is imported when the command is invoked, so that ``assay --help`` is quick.
"""

from __future__ import annotations

from assay.cli.app import main

__all__ = ["main"]
