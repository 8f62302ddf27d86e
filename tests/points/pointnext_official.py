"""Official state dicts of PointNeXt classifiers, written out from the published key names and not from our tables."""

from itertools import pairwise

import torch


def batch_norm(key, width):
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{key}.{name}": (width,) for name in names} | {f"{key}.num_batches_tracked": ()}


def layers(key, *widths, axes=2):
    """Convolutions of kernel size 1 without biases, each with its batch norm."""
    shapes = {}
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes[f"{key}.{number}.0.weight"] = (outputs, inputs, *(1,) * axes)
        shapes |= batch_norm(f"{key}.{number}.1", outputs)
    return shapes


def stem(inputs, width):
    return {"encoder.encoder.0.0.convs.0.0.weight": (width, inputs, 1), "encoder.encoder.0.0.convs.0.0.bias": (width,)}


def head(width, classes):
    shapes = {}
    for place, inputs, outputs in ((0, width, 512), (2, 512, 256)):
        shapes[f"prediction.head.{place}.0.weight"] = (outputs, inputs)
        shapes |= batch_norm(f"prediction.head.{place}.1", outputs)
    return shapes | {"prediction.head.4.0.weight": (classes, 256), "prediction.head.4.0.bias": (classes,)}


def small_shapes(width=32, inputs=3, classes=40):
    """PointNeXt-S."""
    shapes = stem(inputs, width)
    for stage in range(1, 5):
        key, into, out = f"encoder.encoder.{stage}.0", width * 2 ** (stage - 1), width * 2**stage
        shapes |= {f"{key}.skipconv.0.weight": (out, into, 1), f"{key}.skipconv.0.bias": (out,)}
        shapes |= layers(f"{key}.convs", into + 3, out // 2, out)
    last = 16 * width
    return shapes | layers("encoder.encoder.5.0.convs", last + 3, last, last) | head(last, classes)


def deep_shapes(blocks, width=32, inputs=3, classes=40):
    """The depths of PointNeXt-B, -L and -XL."""
    shapes = stem(inputs, width)
    for stage, depth in enumerate(blocks, start=1):
        into, out = width * 2 ** (stage - 1), width * 2**stage
        shapes |= layers(f"encoder.encoder.{stage}.0.convs", into + 3, out)
        for block in range(1, depth):
            key = f"encoder.encoder.{stage}.{block}"
            shapes |= layers(f"{key}.convs.convs", out + 3, out)
            shapes |= layers(f"{key}.pwconv", out, 4 * out, out, axes=1)
    last = 16 * width
    return shapes | layers("encoder.encoder.5.0.convs", last + 3, last) | head(last, classes)


def draw(shapes, seed=0):
    """A state dict of these shapes; variances are positive, counters integer."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(3)
        elif key.endswith("running_var"):
            state[key] = torch.rand(shape, generator=generator) + 0.5
        else:
            state[key] = 0.1 * torch.randn(shape, generator=generator)
    return state
