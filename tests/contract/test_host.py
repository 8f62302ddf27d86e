"""What depends on data is settled on the host: a step of any trainable model asks no tensor for a value."""

import pytest
import torch

from geo_lm4ve.classification.task import Classify, ClassifyConfig
from geo_lm4ve.config import registered
from geo_lm4ve.indoor.ask.task import AnswerRooms, AnswerRoomsConfig, Asked
from geo_lm4ve.model import ModelConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataInfo, DataSource
from geo_lm4ve.points.reconstruct.task import Reconstruct, ReconstructConfig
from geo_lm4ve.testing import assert_settled_on_host
from geo_lm4ve.traffic.batch import SceneInfo
from geo_lm4ve.traffic.forecast.task import Forecast, ForecastConfig
from geo_lm4ve.traffic.source import SceneSource

UNTRAINED = {"kinematic"}
"""Encoders without parameters."""
UNTRAINED_HEADS = {"constant_velocity", "constant_turn_rate", "lane_follower"}
"""Baselines by rule: no step of training runs them, and lane_follower walks each scene's lane graph on the host."""

MODELS = {
    "point_bert": ("point_bert_tiny", {}, "classification", {}, None),
    "class token": ("point_bert_tiny", {}, "classification", {"reads": ["cls"], "pooling": ["first"]}, None),
    "point_mae": ("point_mae", {"depth": 2}, "point_mae", {}, None),
    "pre-training": ("point_bert_tiny_masked", {}, "mask_decoder", {"depth": 1}, None),
    "pointnext": ("pointnext_s", {"blocks": [1, 2, 1, 1], "in_channels": 4}, "pointnext", {}, None),
    "vectornet": ("vectornet_small", {}, "vectornet", {}, None),
    "vectornet, first stage": ("vectornet_small", {}, "vectornet", {}, "subgraph"),
    "mmtransformer": ("mmtransformer_small", {}, "mmtransformer", {}, None),
    "mmtransformer, first stage": ("mmtransformer_small", {}, "mmtransformer", {}, "agents_lanes"),
    "scanqa": ("scanqa_small", {"seeds": 64}, "scanqa", {}, None),
    "scanqa, first stage": ("scanqa_small", {"seeds": 64}, "scanqa", {}, "detect"),
    "scanqa, true proposals": ("scanqa_small", {"seeds": 64, "proposals": "gt"}, "scanqa", {}, None),
    "sqa3d": ("sqa3d_small", {"seeds": 64}, "sqa3d", {}, None),
    "vit": ("vit_tiny", {"depth": 2, "size": 64}, "vit", {}, None),
    "videomae": ("videomae_mini", {}, "videomae", {}, None),
    "generic": ("generic", {"source": "vision_models:OwnNetwork", "size": 32, "freeze": False}, "vit", {}, None),
}
"""Encoder and head options with what differs from them, and ``bridge.after``. The class token and VectorNet's agents
are read alone: their blocks compute nothing else."""

BLOCKS = {
    "identity": ("identity", {}),
    "mlp": ("mlp", {}),
    "random_frozen": ("random_frozen", {"layers": 2}),
    "layers of transformers": ("gpt2", {"source": "random:gpt2"}),
}


class NoData(SceneSource):
    """A source that a loss never asks."""

    def __init__(self):
        self.config = load_option("data", "argoverse1")


class Vocabulary(DataSource):
    """Data of which a task asks the answers alone."""

    def __init__(self, answers):
        self.info = DataInfo("questions for a loss", tuple(map(str, range(answers))), {})

    def loader(self, *arguments, **more):
        raise NotImplementedError


CLASSIFY = Classify(ClassifyConfig(), [str(number) for number in range(40)])
FORECAST = Forecast(ForecastConfig(), NoData(), SceneInfo("scenes for a loss", (), {}))
LOSSES = {
    **dict.fromkeys(("classification", "point_mae", "pointnext", "vit", "videomae"), CLASSIFY),
    **dict.fromkeys(("vectornet", "mmtransformer"), FORECAST),
    "mask_decoder": Reconstruct(ReconstructConfig(), {}),
    "scanqa": AnswerRooms(AnswerRoomsConfig(), Vocabulary(8864)),
    "sqa3d": AnswerRooms(AnswerRoomsConfig(protocol=Asked.sqa3d), Vocabulary(706)),
}
"""By head."""


def batch_and_loss(name):
    encoder, sizes, head, *_ = MODELS[name]
    return load_option("encoder", encoder, sizes).sample_batch(3), LOSSES[head].loss


def build(name, block):
    encoder, sizes, head, reads, after = MODELS[name]
    option, values = BLOCKS[block]
    torch.manual_seed(0)
    return ModelConfig(
        load_option("encoder", encoder, sizes),
        load_option("block", option, values),
        load_option("bridge", "linear", {"after": after}),
        load_option("head", head, reads),
        load_option("head", head).default_outputs,
    ).build()


def outputs(prediction):
    if isinstance(prediction, torch.Tensor):
        return [prediction]
    return [prediction.positions, prediction.probabilities, prediction.agents.positions, prediction.agents.rows]


def test_every_part_that_trains_is_here():
    parts = [(load_option("encoder", encoder, sizes).name, head) for encoder, sizes, head, *_ in MODELS.values()]
    encoders, heads = map(set, zip(*parts))
    assert encoders == set(registered("encoder")) - UNTRAINED
    assert {load_option("head", head).name for head in heads} == set(registered("head")) - UNTRAINED_HEADS


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("name", MODELS)
def test_a_step_asks_no_tensor_for_a_value(name, block):
    batch, loss = batch_and_loss(name)
    assert_settled_on_host(build(name, block).train(), batch.to("cpu"), lambda *values: loss(*values).total)


@pytest.mark.parametrize("name", ["class token", "vectornet", "mmtransformer, first stage"])
def test_a_batch_that_carries_nothing_gives_the_same_and_is_found_out(name):
    batch, loss = batch_and_loss(name)
    model = build(name, "random_frozen").eval()
    with torch.no_grad():
        for found, expected in zip(outputs(model(batch)), outputs(model(batch.settled()))):
            assert torch.equal(found, expected)
    with pytest.raises(AssertionError, match="asks a tensor for a value"):
        assert_settled_on_host(model, batch, lambda *values: loss(*values).total)
