"""Foreign bytes cross one border: whoever parses a file does it in a module that has the guard."""

import ast
from pathlib import Path

import pytest

import geo_lm4ve

ROOT = Path(geo_lm4ve.__file__).parent
PARSERS = {
    "json.loads", "json.load", "tomllib.loads", "tomllib.load", "h5py.File", "np.load", "np.loadtxt", "np.fromfile",
    "torch.load", "safe_open", "load_file", "safetensors.torch.load", "ElementTree.parse", "ElementTree.fromstring",
    "pyarrow.csv.read_csv", "pyarrow.parquet.read_table", "pyarrow.parquet.ParquetFile", "zipfile.ZipFile",
    "tarfile.open", "OmegaConf.load", "yaml.safe_load", "trimesh.load", "mmap.mmap", "Image.open", "pickle.load",
}  # fmt: skip
"""Calls that give meaning to the bytes of a file."""
OWN = {
    **dict.fromkeys(
        ("files.py", "hdf5.py", "layers/transformers_model.py", "npy.py", "torch_files/load.py"),
        "readers call it, guarded",
    ),
    **dict.fromkeys(("engine/resume_file.py", "geometry/mesh_files.py", "geometry/tables.py"), "one reader calls it"),
    "answering/files/json_text.py": "readers call it, guarded",
    "prepare/zip_members.py": "guarded by members.intact",
    "points/solids/write.py": "writes",
    "viz/style.py": "opens what it has just drawn",
}
"""Modules that parse and need no guard, and why."""


def parsing(tree: ast.AST) -> set[str]:
    """The parsers that a module calls."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)} & PARSERS


def guarded(tree: ast.AST) -> bool:
    """Whether it takes the guard from ``geo_lm4ve.reading``, and uses it."""
    taken = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "geo_lm4ve.reading"
        for alias in node.names
    }
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return bool(taken & called & {"reader", "reading"})


MODULES = {
    path.relative_to(ROOT).as_posix(): tree
    for path in sorted(ROOT.rglob("*.py"))
    if parsing(tree := ast.parse(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("module", sorted(MODULES.keys() - OWN.keys()))
def test_a_module_that_parses_files_has_the_guard(module):
    assert guarded(MODULES[module]), (
        f"{module} calls {', '.join(sorted(parsing(MODULES[module])))} without @reader or `with reading(…)`"
    )


def test_the_exceptions_are_still_needed():
    assert OWN.keys() <= MODULES.keys()
