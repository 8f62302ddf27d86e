"""Any network as one that makes a sequence of tokens: of transformers, or somebody's own module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.calls import described
from geo_lm4ve.files import UserError
from geo_lm4ve.lora import LoraOptions, add_lora
from geo_lm4ve.slim import WeightReference, leave_to_file

_HIDDEN = "last_hidden_state"


@dataclass(frozen=True)
class TokenSequence:
    """Tokens of a batch as a network made them.

    Attributes:
        features: (B, N, D).
        grid: the sizes (rows, columns) of the map that they were, row by row; () for what has been a sequence.
    """

    features: Float[Tensor, "b n d"]
    grid: tuple[int, ...] = ()

    @classmethod
    def of(cls, output: Any) -> TokenSequence:
        """What a network gave: a tensor (B, N, D), a map (B, D, H, W), or what has one of them as its hidden state.

        Raises:
            ValueError: it is nothing of that.
        """
        found = output[0] if isinstance(output, tuple | list) and output else output
        if isinstance(output, Mapping) or hasattr(output, _HIDDEN):
            found = output[_HIDDEN] if isinstance(output, Mapping) else getattr(output, _HIDDEN)
        if isinstance(found, Tensor) and found.dim() == 3:
            return cls(found)
        if isinstance(found, Tensor) and found.dim() == 4:
            return cls(found.flatten(2).mT, tuple(found.shape[2:]))
        raise ValueError(f"it makes {described(found)}, neither a sequence (B, N, D) nor a map (B, D, H, W)")


class TokenNetwork(nn.Module):
    """A network with one tensor as its input and tokens as its output; knows nothing of what the tensor is.

    Frozen, it is a fixed function (no dropout, no gradient, whatever ``train()`` is called with), and weights that came
    out of a file are left to it: a state dict holds the file's fingerprint instead. So it is with LoRA, whose updates
    alone are trained and saved. A network that is trained is in the state dict, and so is a frozen one that came out of
    no file.

    Args:
        network: its weights; a network of transformers is given the tensor by its ``main_input_name``.
        trained: fine-tune it.
        lora: train low-rank updates of its matrices instead.
        reference: the file that its weights came out of; None: there is none.
        error: what is raised.

    Raises:
        UserError: (of class ``error``) LoRA is not to be had.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        trained: bool,
        lora: LoraOptions | None,
        reference: WeightReference | None,
        error: type[UserError],
    ):
        super().__init__()
        self.network, self.trained = network.requires_grad_(trained and lora is None), trained
        self.argument: str | None = getattr(network, "main_input_name", None)
        if lora is not None:
            add_lora(self.network, lora, error)
        self.train()
        if reference is not None and (lora is not None or not trained):
            leave_to_file(self, reference, "network", error)

    def forward(self, given: Tensor, **options: Any) -> TokenSequence:
        """Tokens of a batch; ValueError where the network makes none."""
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            positional = () if self.argument else (given,)
            return TokenSequence.of(
                self.network(*positional, **({self.argument: given} if self.argument else {}), **options)
            )

    def try_out(self, example: Tensor, **options: Any) -> TokenSequence:
        """Tokens of an example; from now on no parameter is trained that no token depends on (pooling, mask tokens).

        Raises:
            ValueError: there are none, or they are not finite.
        """
        mode = self.training
        self.eval()
        own = [parameter for parameter in self.parameters() if parameter.requires_grad]
        with torch.set_grad_enabled(bool(own)):
            made = self(example, **options)
            if own:
                found = torch.autograd.grad(made.features.sum(), own, allow_unused=True)
                for parameter, gradient in zip(own, found):
                    parameter.requires_grad_(gradient is not None)
        self.train(mode)
        if not made.features.is_meta and not bool(made.features.isfinite().all()):
            raise ValueError("it makes tokens that are not finite")
        return made

    def train(self, mode: bool = True) -> TokenNetwork:
        """Training mode changes nothing in a frozen network."""
        return super().train(mode and self.trained)
