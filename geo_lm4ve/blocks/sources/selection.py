"""The asked layers out of an open checkpoint: found, read, checked and fingerprinted."""

from __future__ import annotations

from collections.abc import Sequence

from geo_lm4ve.blocks.base import BlockError, BlockReference, LayerWeights
from geo_lm4ve.blocks.config_values import check_config
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.checkpoint import Checkpoint
from geo_lm4ve.blocks.sources.checks import check_layer, check_values
from geo_lm4ve.blocks.sources.layout import Layout, depth, find_layout, indices, layers_config, of_images
from geo_lm4ve.reading import reader


@reader(BlockError, "a checkpoint of a transformer", "fetch it again")
def wanted_layout(checkpoint: Checkpoint, layers: Sequence[int], final_norm: bool | None) -> Layout:
    """Which tensors to read; ``final_norm=None`` takes the final norm if there is one.

    Raises:
        BlockError: an index out of range or not consecutive, a layer not in the checkpoint, or no final norm in it.
    """
    config = layers_config(checkpoint.config)
    check_config(config)
    count = depth(config, checkpoint.place)
    wanted, images = indices(layers, count, checkpoint.place), of_images(config)
    layout = find_layout(checkpoint.names, wanted, checkpoint.place, images=images)
    if final_norm and not layout.final_norm:
        raise BlockError(f"{checkpoint.place} holds no final norm; ask without it (final_norm=False)")
    return Layout(layout.layers, layout.final_norm if final_norm is not False else {})


@reader(BlockError, "a checkpoint of a transformer", "fetch it again")
def select_layers(
    checkpoint: Checkpoint, source: str, layers: Sequence[int], final_norm: bool | None = False
) -> LayerWeights:
    """The asked layers in their stored dtype.

    Raises:
        BlockError: as ``wanted_layout``, or weights that are incomplete, misshapen, quantised or not finite.
    """
    layout = wanted_layout(checkpoint, layers, final_norm)
    config = layers_config(checkpoint.config)
    tensors = checkpoint.read(layout.names)
    taken = layout.by_layer(tensors)
    norm = {key: tensors[name] for key, name in layout.final_norm.items()}
    for index, layer in zip(layout.layers, taken):
        check_layer(layer, config, f"{checkpoint.place}, layer {index}")
    for key, tensor in norm.items():
        check_values(tensor, f"{checkpoint.place}, final norm {key}")
    return LayerWeights(config, taken, norm, BlockReference(source, tuple(layout.layers), fingerprint(taken)))
