"""Checkpoints without frozen weights: those that are still what their source gave come from it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from geo_lm4ve.files import UserError

KEY = "reference"
"""Name under which a state dict holds the fingerprint of what it leaves to a file."""


@dataclass(frozen=True)
class WeightReference:
    """Where frozen vectors or weights came from.

    Attributes:
        source: for people: the package with its version, the repository's id, the name of the file.
        sha256: of the file; of several: of their digests, one a line.
    """

    source: str
    sha256: str


def leave_to_file(module: nn.Module, reference: WeightReference, what: str, error: type[UserError]) -> None:
    """``keep_frozen_out``, with the file's fingerprint in the state dict instead; call it once, when all are there.

    Loading a state dict with another fingerprint is an error; one without any (of another project) loads.

    Args:
        module: frozen already, as far as it is to be left out.
        reference: where its weights came from.
        what: it is, for messages: "text encoder".
        error: what is raised.
    """
    keep_frozen_out(module)
    module.register_state_dict_post_hook(partial(_give, _bytes(reference)))
    module.register_load_state_dict_pre_hook(partial(_compare, reference, what, error))


def keep_frozen_out(module: nn.Module) -> dict[str, Tensor]:
    """From now on ``module.state_dict()`` leaves out what is frozen in it now, and strict loading does not miss it.

    Two exceptions, for weights that somebody trains or changes from outside after all: what requires a gradient when
    the state dict is made is in it, and so has to be in one that is loaded where they were changed. A state dict that
    does hold such weights gives them.

    Returns:
        Some values of each such weight, by its name, for ``changed``.
    """
    witnesses = {name: _some(value) for name, value in module.named_parameters() if not value.requires_grad}
    module.register_state_dict_post_hook(partial(_drop, frozenset(witnesses)))
    module.register_load_state_dict_pre_hook(partial(_lend, witnesses))
    return witnesses


def changed(module: nn.Module, witnesses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that are no longer what they were when ``witnesses`` were taken, by name; asks their device.

    One value of each row and of each column is looked at: no step of an optimiser leaves all of these as they are. A
    weight in another dtype is the same weight.
    """
    own = {name: value.detach() for name, value in module.named_parameters() if name in witnesses}
    return {
        name: value for name, value in own.items() if not torch.equal(_some(value), witnesses[name].to(value.dtype))
    }


def _some(weight: Tensor) -> Tensor:
    """A copy on the CPU of one value of each row and column of a matrix, and of all of anything smaller."""
    if weight.dim() != 2:
        return weight.detach().to("cpu", copy=True)
    rows, columns = weight.shape
    random = torch.Generator().manual_seed(0)
    row = torch.randint(rows, (columns,), generator=random, device="cpu")
    column = torch.randint(columns, (rows,), generator=random, device="cpu")
    places = (torch.cat([row, torch.arange(rows)]), torch.cat([torch.arange(columns), column]))
    return weight.detach()[tuple(place.to(weight.device) for place in places)].cpu()


def _drop(keys: frozenset[str], module: nn.Module, state: dict[str, Any], prefix: str, metadata: object) -> None:
    """State-dict post hook: frozen weights are a reference, not a part of a checkpoint."""
    for name, value in module.named_parameters():
        if name in keys and not value.requires_grad:
            del state[prefix + name]


def _lend(
    witnesses: Mapping[str, Tensor],
    module: nn.Module,
    state: dict[str, Any],
    prefix: str,
    metadata: object,
    strict: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load pre-hook: the module's own frozen weights stand in for those that a checkpoint leaves to their source."""
    own, lost = dict(module.named_parameters()), changed(module, witnesses)
    for key in witnesses.keys() - lost.keys():
        state.setdefault(prefix + key, own[key].detach())


def _bytes(reference: WeightReference) -> Tensor:
    return torch.frombuffer(bytearray.fromhex(reference.sha256), dtype=torch.uint8)


def _give(fingerprint: Tensor, module: nn.Module, state: dict[str, Any], prefix: str, metadata: object) -> None:
    """State-dict post hook."""
    state[prefix + KEY] = fingerprint


def _compare(
    reference: WeightReference,
    what: str,
    error: type[UserError],
    module: nn.Module,
    state: dict[str, Any],
    prefix: str,
    *rest: object,
) -> None:
    """Load pre-hook; the fingerprint is no tensor of the module, which therefore must not find it."""
    recorded = state.pop(prefix + KEY, None)
    if recorded is not None and not torch.equal(recorded.cpu(), _bytes(reference)):
        raise error(
            f"the model was trained with another {what} than {reference.source}: its sha256 is "
            f"{bytes(recorded.cpu().tolist()).hex()[:12]}… there and {reference.sha256[:12]}… here; point the {what}'s "
            "source to the one it was trained with"
        )
