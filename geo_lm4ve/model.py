"""Model: encoder stages, with the bridge after one of them, then the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from geo_lm4ve.blocks.base import Block, BlockConfig, BlockError, BlockReference
from geo_lm4ve.bridge import Bridge, BridgeConfig
from geo_lm4ve.config import ConfigError, make, plain, unknown
from geo_lm4ve.files import atomic_path, write_json
from geo_lm4ve.fit import check_fit
from geo_lm4ve.memory import Asking, TooLargeError, room_for
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.parts.head import Head, HeadConfig
from geo_lm4ve.reading import reader, reading
from geo_lm4ve.saved import CARD, PARTS, WEIGHTS, CheckpointError, check_kinds, local_folder, read_card, read_weights
from geo_lm4ve.tokens import TokenSet


@dataclass(frozen=True)
class ModelConfig:
    """What a model is built from: enough to build it again.

    Attributes:
        encoder, block, bridge, head: the configs of its parts; a plain ``BlockConfig`` stands for a block that is given
            to ``build`` and that nothing builds again.
        outputs: number of outputs of the head (classes, answers, future steps, ...).
    """

    encoder: EncoderConfig
    block: BlockConfig
    bridge: BridgeConfig
    head: HeadConfig
    outputs: int

    def build(self, most: int | None = None, block: Block | None = None) -> Model:
        """The model with fresh weights.

        Args:
            most: bytes that all but a pretrained or random block may take; default: the memory of the machine, as
                for such a block.
            block: the block, where it is built already; None: ``self.block`` builds it.

        Raises:
            ConfigError: a size of which no memory can be had, or parts that do not fit one another; names them.
        """
        return self.backbone(most, block).model(self.outputs)

    def backbone(self, most: int | None = None, block: Block | None = None) -> Backbone:
        """The model but for its head, which alone has to know ``outputs``; arguments and errors as of ``build``."""
        check_fit({"encoder": self.encoder, "bridge": self.bridge, "head": self.head})
        with _affordable():
            return self._backbone(Asking(plain(self), most), block)

    def _backbone(self, asking: Asking, block: Block | None) -> Backbone:
        encoder = asking.build(self.encoder.build)
        after = self.bridge.after or encoder.tap
        if after not in encoder.dims:
            raise ConfigError("bridge.after: " + unknown("encoder stage", after, encoder.stages))
        if self.encoder.freeze:
            encoder.requires_grad_(False)
        if block is None:
            block = self._block(asking)
        bridge = asking.build(lambda: self.bridge.build(block, encoder.dims[after]))
        return Backbone(self, encoder, bridge, after, asking, torch.get_rng_state())

    def _block(self, asking: Asking) -> Block:
        if self.block.trained_only:
            return asking.build(self.block.build)
        with Asking(asking.config):
            return self.block.build()


@contextmanager
def _affordable() -> Iterator[None]:
    try:
        yield
    except TooLargeError as error:
        raise ConfigError(f"this model cannot be built: {error}; choose smaller sizes") from None


@dataclass(frozen=True)
class Backbone:
    """A model but for its head: what can be built before the data says how many outputs there are.

    Attributes:
        config: what it is built from; its ``outputs`` do not count.
        encoder, bridge, after: as of ``Model``.
        asking: has counted what they take.
        drawn: the state of torch's generator after them: the head is drawn from it, whatever was drawn in between.
    """

    config: ModelConfig
    encoder: Encoder
    bridge: Bridge
    after: str
    asking: Asking
    drawn: Tensor

    def model(self, outputs: int) -> Model:
        """The whole, with a fresh head; ConfigError as of ``ModelConfig.build``."""
        torch.set_rng_state(self.drawn)
        with _affordable():
            return self._with(self.asking.build(lambda: self._head(outputs)), outputs)

    def rehearsed(self, outputs: int) -> Model | None:
        """The whole with a head on ``meta``, which takes no memory; None for a head that cannot be built there."""
        asking = Asking(self.asking.config, self.asking.most - self.asking.asked)
        with _affordable():
            head = asking.rehearse(lambda: self._head(outputs))
        return None if head is None else self._with(head, outputs)

    def _head(self, outputs: int) -> Head:
        return self.config.head.build(self.encoder.dims[self.encoder.last], outputs)

    def _with(self, head: Head, outputs: int) -> Model:
        return Model(self.encoder, self.bridge, head, self.after, config=replace(self.config, outputs=outputs))


class Model(nn.Module):
    """Encoder -> bridge -> head.

    >>> import geo_lm4ve, torch
    >>> model = geo_lm4ve.create_model("point_bert_tiny", num_classes=24, block="random_frozen")
    >>> clouds = torch.randn(2, 1024, 3)
    >>> model(clouds).shape, model.tokens(clouds).features.shape
    (torch.Size([2, 24]), torch.Size([2, 33, 96]))

    Attributes:
        encoder: its stages run in order.
        bridge: runs after the stage named ``after``.
        head: reads the last token set.
        config: what it was built from; None for a model put together by hand, which cannot be saved for
            ``from_pretrained``.
        classes: names of the outputs for classification, else ().
    """

    def __init__(
        self,
        encoder: Encoder,
        bridge: Bridge,
        head: Head,
        after: str | None = None,
        *,
        config: ModelConfig | None = None,
        classes: Sequence[str] = (),
    ):
        super().__init__()
        self.encoder, self.bridge, self.head = encoder, bridge, head
        self.after = after or encoder.tap
        if self.after not in encoder.stages:
            raise ConfigError("bridge.after: " + unknown("encoder stage", self.after, encoder.stages))
        self.config = config
        self.classes = tuple(classes)

    def tokens(self, batch: Any, reads: Sequence[str] | None = None) -> TokenSet:
        """The token set that the head gets.

        Args:
            batch: what the encoder takes: a Batch, or the natural tensor of its modality (clouds (B, N, 3)).
            reads: names of the only spans after the last stage that matter; None: all.
        """
        if self.after != self.encoder.last:
            reads = None  # the stages after the bridge read every token
        value = self.encoder.taken(batch)
        for name, stage in self.encoder.stages.items():
            value = stage(value)
            if name == self.after:
                value = self.bridge(value, reads)
        return value

    def forward(self, batch: Any) -> Any:
        """The head's prediction for a Batch or the natural tensor of the encoder's modality.

        What the head does not read is not computed.

        Raises:
            InputError: it is neither; says what to pass.
        """
        return self.head(self.tokens(batch, self.head.reads))

    def train(self, mode: bool = True) -> Model:
        """Training mode; a frozen encoder stays in eval mode (its statistics and drop path rest)."""
        super().train(mode)
        if not any(parameter.requires_grad for parameter in self.encoder.parameters()):
            self.encoder.eval()
        return self

    def count(self) -> dict[str, int]:
        """Number of trainable and frozen parameters."""
        trainable = sum(p.numel() for p in self.parameters() if p.requires_grad)
        return {"trainable": trainable, "frozen": sum(p.numel() for p in self.parameters()) - trainable}

    def weights(self) -> dict[str, Tensor]:
        """What a checkpoint holds: ``state_dict()``, and weights of the block that are no longer what its source gave.

        Looks at values: ask it where something is saved, not in a training step.
        """
        changed = self.bridge.block.changed()
        return {**self.state_dict(), **{f"bridge.block.{name}": value for name, value in changed.items()}}

    def save_pretrained(self, folder: Path | str) -> None:
        """Write what was trained (``model.safetensors``) and what it was built from (``model.json``).

        Frozen block weights are stored as a reference: source, layers, sha256. Those that were trained or changed from
        outside after all are stored whole.

        Raises:
            CheckpointError: the model or its block was put together by hand and nothing says how to build it again.
        """
        card = self.card()
        state = {key: value.contiguous() for key, value in self.weights().items()}
        with atomic_path(Path(folder) / WEIGHTS) as temporary:
            save_file(state, temporary)
        write_json(Path(folder) / CARD, card)

    def card(self) -> dict[str, Any]:
        """What ``from_pretrained`` needs besides the weights; CheckpointError where ``config`` is not known."""
        if self.config is not None and type(self.config.block) is BlockConfig:
            raise CheckpointError(
                f"nothing says how to build this model's block again: {type(self.bridge.block).__name__} was given as "
                "an object. Take one of FrozenBlock.from_source, or register a config for it (@register of "
                "geo_lm4ve.config) and say block.built_from(config); or keep the weights alone with "
                "safetensors.torch.save_model"
            )
        if self.config is None:
            raise CheckpointError(
                "this model was put together by hand: from_pretrained could not build it again. Build it with "
                "create_model or ModelConfig(...).build(), pass config=ModelConfig(...) to Model, or keep its weights "
                "alone with safetensors.torch.save_model"
            )
        reference = self.bridge.block.reference
        block = None if reference is None else vars(reference)
        return {**plain(self.config), "classes": list(self.classes), "block_reference": block}

    @classmethod
    @reader(CheckpointError, "what save_pretrained writes", "restore it or train again", at="folder")
    def from_pretrained(cls, folder: Path | str, *, allow_other_block: bool = False, **block: Any) -> Model:
        """The model that ``save_pretrained`` wrote, in eval mode.

        Args:
            folder: a local folder, or a repository on the Hugging Face hub.
            allow_other_block: accept a frozen block whose fingerprint differs from the recorded one.
            block: changes to the block's config, e.g. ``source="dir:/models/llama-7b"`` when the recorded source is
                not at hand.

        Raises:
            CheckpointError: files missing or damaged, or another block than the model was trained with.
            BlockError: the block is not at hand; names the file or hub id that is needed.
        """
        folder = local_folder(folder)
        card = read_card(folder / CARD)
        card["block"].update(block)
        weights = read_weights(folder / WEIGHTS)
        with reading(folder / CARD, CheckpointError, "the card of a saved model", "restore it or train again"):
            model = _model_config(card).build(room_for(weights.values()))
        check_block(model, card["block_reference"], allow_other_block)
        check_kinds(weights, {**dict(model.named_parameters()), **model.state_dict()})
        model.load_state_dict(weights)
        model.classes = tuple(card["classes"])
        return model.eval()


def _model_config(card: dict[str, Any]) -> ModelConfig:
    parts: Any = {group: make(group, card[group]["name"], card[group]) for group in PARTS}
    return ModelConfig(**parts, outputs=card["outputs"])


def check_block(model: Model | Backbone, recorded: dict[str, Any] | None, allow_other: bool = False) -> None:
    """Compare the model's block with the recorded reference; BlockError if its fingerprint differs."""
    reference = model.bridge.block.reference
    if recorded is None or reference is None or allow_other or not _frozen(model):
        return
    expected = BlockReference(recorded["source"], tuple(recorded["layers"]), recorded["sha256"])
    if reference.sha256 != expected.sha256:
        raise BlockError(
            f"the model was trained with layers {list(expected.layers)} of {expected.source} "
            f"(sha256 {expected.sha256[:12]}…), but the block built now is layers {list(reference.layers)} of "
            f"{reference.source} (sha256 {reference.sha256[:12]}…). Point block.source to the recorded one, or allow "
            "another block on purpose (allow_other_block)"
        )


def _frozen(model: Model | Backbone) -> bool:
    return not any(parameter.requires_grad for parameter in model.bridge.block.parameters())
