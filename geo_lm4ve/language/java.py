"""The Java programs that pycocoevalcap brings along: where they are, and running one over lines of text."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.files import UserError

PACKAGE = "pycocoevalcap"


def lacking(what: str, *files: str) -> str:
    """What has to be installed before files of pycocoevalcap can be run with Java, and how; "" if all is there.

    Args:
        what: needs them, for the message.
        files: under the folder of the package.
    """
    if shutil.which("java") is None:
        return f"{what} runs in Java, and there is no java on the path: apt install default-jre (or your system's Java)"
    if (folder := package_folder()) is None:
        return f"{what} needs the Java programs of pycocoevalcap: pip install --no-deps pycocoevalcap"
    missing = [file for file in files if not (folder / file).is_file()]
    return f"{what} needs {folder / missing[0]}, which is missing" if missing else ""


def programs(what: str, *files: str) -> Path:
    """Folder of pycocoevalcap; UserError with what ``lacking`` says where something is missing."""
    missing, folder = lacking(what, *files), package_folder()
    if missing or folder is None:
        raise UserError(missing)
    return folder


def package_folder() -> Path | None:
    """Folder of pycocoevalcap, or None; the package is not imported."""
    found = importlib.util.find_spec(PACKAGE)
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


def run_lines(arguments: Sequence[str], lines: Sequence[str], *, folder: Path) -> list[str]:
    """Run java in a folder; the lines go in as UTF-8, those that it prints come out.

    Raises:
        UserError: it ends with an error, with the end of what it said.
    """
    command = ["java", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", *arguments]
    # An empty last line would be no line at all without its line break.
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(command, input=text.encode(errors="replace"), capture_output=True, cwd=folder, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise UserError(f"{' '.join(command)} (in {folder}) ended with code {done.returncode}: {said}")
    return done.stdout.decode(errors="replace").split("\n")[:-1]
