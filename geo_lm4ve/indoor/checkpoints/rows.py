"""Names that ScanQA and SQA3D share: detector, LSTM, layers of MCAN, poolings; and what their tensors tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from torch import Tensor

from geo_lm4ve.indoor.features import KINDS, width
from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size
from geo_lm4ve.pretrained.layouts import Row
from geo_lm4ve.slim import KEY

_DETECT, _FUSION = "encoder.stages.detect", "encoder.stages.fusion"
_NET = f"{_DETECT}.votenet"
_ATTENTION = {"query": "linear_q", "key": "linear_k", "value": "linear_v", "out": "linear_merge"}
_GLOVE = 300

TEXT = f"{_DETECT}.reader.text"
"""What makes vectors of words, which official files do not hold."""
FINGERPRINT = f"{TEXT}.{KEY}"


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``. Numbers of points, neighbours and proposals leave no trace, kinds of features their width."""
    inputs = size(state, f"{_NET}.backbone.sa_1.mlp.0.linear.weight", axis=1)
    words = size(state, f"{_DETECT}.reader.lstm.weight_ih_l0", axis=1)
    return {
        "encoder.hidden": size(state, f"{_DETECT}.reader.linear.weight"),
        "encoder.layers": count(state, f"{_FUSION}.question.*"),
        "encoder.width": size(state, f"{_NET}.backbone.sa_1.mlp.0.linear.weight"),
        "encoder.features": _kinds(inputs - 3) if inputs else None,
        "encoder.text": _text(state, words),
        OUTPUTS: size(state, "head.answer.3.weight"),
    }


def _text(state: Mapping[str, Tensor], words: int | None) -> str | None:
    """What made the vectors of words: an embedding that is there, or GloVe by their width; None: some other encoder."""
    if f"{TEXT}.table.weight" in state:
        return "learned"
    return "glove" if words == _GLOVE else None


def _kinds(channels: int) -> tuple[str, ...] | None:
    """The first kinds of features, in their order, that are as many numbers."""
    subsets = (kinds for number in range(len(KINDS) + 1) for kinds in combinations(KINDS, number))
    return next((kinds for kinds in subsets if width(kinds) == channels), None)


def detector() -> Iterator[Row]:
    """VoteNet, the LSTM and the linear layers after both."""
    backbone, votes, boxes = f"{_NET}.backbone", f"{_NET}.voting", f"{_NET}.proposals"
    yield from _shared_mlp(f"{backbone}.sa_*.mlp.*", "detection_backbone.sa*.mlp_module.layer*")
    yield from _shared_mlp(f"{backbone}.fp_*.mlp.*", "detection_backbone.fp*.mlp.layer*")
    for layer in (0, 1):
        yield Row(f"{votes}.hidden.{layer}.linear", f"voting_net.conv{layer + 1}", conv=1)
        yield Row(f"{votes}.hidden.{layer}.norm", f"voting_net.bn{layer + 1}")
        yield Row(f"{boxes}.hidden.{layer}.linear", f"proposal_net.proposal.{3 * layer}", conv=1)
        yield Row(f"{boxes}.hidden.{layer}.norm", f"proposal_net.proposal.{3 * layer + 1}")
    yield Row(f"{votes}.out", "voting_net.conv3", conv=1)
    yield Row(f"{boxes}.out", "proposal_net.proposal.6", conv=1)
    yield from _shared_mlp(f"{boxes}.aggregation.mlp.*", "proposal_net.vote_aggregation.mlp_module.layer*")
    yield Row(f"{_DETECT}.object_linear", "object_feat_linear.0")
    yield Row(f"{_DETECT}.reader.lstm", "lang_net.lstm")
    yield Row(f"{_DETECT}.reader.linear", "lang_feat_linear.0")


def _shared_mlp(ours: str, official: str) -> Iterator[Row]:
    yield Row(f"{ours}.linear", f"{official}.conv", conv=2)
    yield Row(f"{ours}.norm", f"{official}.bn.bn")


def alone(ours: str, official: str) -> Iterator[Row]:
    """The rows of layers that look at their own kind of token."""
    yield from _layers(ours, official, {"attention": "mhatt"}, ("attention_norm", "mlp_norm"))


def guided(ours: str, official: str) -> Iterator[Row]:
    """The rows of layers that look at another kind, too."""
    attentions = {"self_attention": "mhatt1", "cross_attention": "mhatt2"}
    yield from _layers(ours, official, attentions, ("self_norm", "cross_norm", "mlp_norm"))


def _layers(ours: str, official: str, attentions: dict[str, str], norms: tuple[str, ...]) -> Iterator[Row]:
    ours, official = f"{_FUSION}.{ours}.*", f"{official}.*"
    for attention, name in attentions.items():
        for projection, linear in _ATTENTION.items():
            yield Row(f"{ours}.{attention}.{projection}", f"{official}.{name}.{linear}")
    for number, norm in enumerate(norms, start=1):
        yield from deviation_norm(f"{ours}.{norm}", f"{official}.norm{number}")
    yield from _mlp(f"{ours}.mlp", f"{official}.ffn.mlp")


def deviation_norm(ours: str, official: str) -> Iterator[Row]:
    """The rows of a norm."""
    yield Row(f"{ours}.weight", f"{official}.a_2")
    yield Row(f"{ours}.bias", f"{official}.b_2")


def _mlp(ours: str, official: str) -> Iterator[Row]:
    yield Row(f"{ours}.0", f"{official}.fc.linear")
    yield Row(f"{ours}.3", f"{official}.linear")


def pool(ours: str, official: str) -> Iterator[Row]:
    """The rows of a pooling."""
    yield from _mlp(f"head.{ours}.mlp", f"{official}.mlp")
    yield Row(f"head.{ours}.out", f"{official}.linear_merge")


def classifiers(names: Mapping[str, str]) -> Iterator[Row]:
    """The rows of networks with a hidden layer, our name -> the official one."""
    for ours, official in names.items():
        for layer in (0, 3):
            yield Row(f"head.{ours}.{layer}", f"{official}.{layer}")
