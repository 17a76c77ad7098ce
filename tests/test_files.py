"""helpers.files: written whole or not at all, and room to write is looked for before the work."""

import os
from pathlib import Path

import pytest

from helpers import files


@pytest.mark.parametrize("name", ["", "new", "new/deeper"])
def test_a_folder_that_can_be_written_to_is_accepted_and_not_made(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    files.require_writable(tmp_path / name)
    files.require_writable(Path(name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "/deeper", "/deeper/still"])
@pytest.mark.parametrize("kind", ["a file", "a link that leads nowhere"])
def test_what_is_in_the_way_is_named(kind: str, below: str, tmp_path: Path) -> None:
    if kind == "a file":
        (tmp_path / "taken").touch()
    elif os.name == "nt":
        pytest.skip("links need a permission there")
    else:
        (tmp_path / "taken").symlink_to("nowhere")
    with pytest.raises(ValueError, match=r"^Received .*taken.*taken' is no folder\), expected .* Choose") as caught:
        files.require_writable(Path(f"{tmp_path}/taken{below}"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder where nobody may write")
def test_a_folder_that_nobody_may_write_to_is_refused() -> None:
    with pytest.raises(ValueError, match="'/proc/new', where no file can be written"):
        files.require_writable(Path("/proc/new"))
