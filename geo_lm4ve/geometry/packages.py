"""Optional packages with faster point operations: whether they are there, and how to get them."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from types import ModuleType

QUICKFPS, POINTNET2, SCIPY = "torch-quickfps", "pointnet2_ops", "scipy"
_MODULES = {QUICKFPS: "torch_quickfps", POINTNET2: "pointnet2_ops.pointnet2_utils", SCIPY: "scipy.spatial"}
_HINTS = {
    QUICKFPS: "pip install 'geo_lm4ve[fast]'",
    POINTNET2: "build it from github.com/erikwijmans/Pointnet2_PyTorch",
    SCIPY: "pip install scipy",
}
_WHERE = {SCIPY: ", a kd-tree for large clouds"}


@functools.cache
def probe(package: str) -> tuple[ModuleType | None, str]:
    """The module of an optional package, or None; and what was found."""
    try:
        module = importlib.import_module(_MODULES[package])
    except ModuleNotFoundError:
        return None, f"{package} is not installed: {_HINTS[package]}"
    except (ImportError, OSError, RuntimeError) as error:
        return None, f"{package} is installed but does not load: {error}"
    return module, f"{package} {_version(package)}{_WHERE.get(package, '')}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def module_of(package: str) -> ModuleType:
    """The module of a package; ImportError says how to get it."""
    module, reason = probe(package)
    if module is None:
        raise ImportError(reason)
    return module
