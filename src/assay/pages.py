"""Templates of self-contained HTML pages: what is put in is escaped, what is absent an error.

``shared/page.css`` is the look of a plain page, for any template to include.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(package: str, name: str = "page.html.j2") -> Template:
    """Return the template of that name in a package's folder."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader(package, "."),
                PrefixLoader({"shared": PackageLoader("assay", ".")}),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
