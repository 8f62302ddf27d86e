"""VectorNet: histories and lanes as polylines of vectors -> one token each -> one round of attention among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.encoders.initialisation import glorot_matrices, zero_biases
from geo_lm4ve.traffic.encoders.polylines import PolylineNet, Vectors, lane_attributes, lane_segments, steps
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS, agent_rows, pad, scene_tokens
from geo_lm4ve.traffic.sample import sample_batch

AGENT_FEATURES, LANE_FEATURES = 6, 7


@register("encoder", "vectornet")
@dataclass
class VectorNetConfig(EncoderConfig):
    """VectorNet (arXiv 2005.04259) as in ziqipang/StreamingForecasting, by the paper's first author.

    Its stages are ``subgraph`` and ``global``; the tokens' spans ``agents`` (the target first) and ``lanes``. It holds
    for any number of observed frames, future frames and points per lane.

    Two things differ from that code on purpose. Biases start at zero, not uniformly in [0, 1]. Where a track begins
    late, its first vector has no displacement; there it had the whole distance to the origin of the scene.

    Attributes:
        widths: width of each level of the polyline networks; tokens are twice as wide as the last.
        global_depth: rounds of attention among all tokens of a scene.
    """

    takes: ClassVar[type | None] = SceneBatch
    offers: ClassVar[frozenset[str] | None] = frozenset({"agents", "lanes", AGENT_ROWS})

    name: str = "vectornet"
    widths: list[int] = field(default_factory=lambda: [32, 64, 128])
    global_depth: int = 1

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        if not self.widths or min(self.widths) < 1:
            raise ConfigError(f"encoder.widths must hold at least one width of at least 1, not {self.widths}")
        if self.global_depth < 1:
            raise ConfigError(f"encoder.global_depth must be at least 1, not {self.global_depth}")

    def build(self) -> VectorNet:
        """The encoder with Glorot-uniform weights and zero biases."""
        return VectorNet(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> SceneBatch:
        """Scenes of different sizes."""
        return sample_batch(size, seed)


class SubGraphs(nn.Module):
    """First stage: each agent's history and each lane's centreline becomes a token.

    Attributes:
        agents: network for the vectors of histories.
        lanes: network for the vectors of centrelines.
    """

    def __init__(self, widths: list[int]):
        super().__init__()
        self.agents = PolylineNet(AGENT_FEATURES, widths, layers=2)
        self.lanes = PolylineNet(LANE_FEATURES, widths, layers=2)

    def forward(self, batch: SceneBatch) -> TokenSet:
        """Tokens of a batch of scenes, in the precision of the weights.

        Mixed precision pauses here: with 8 bits, positions 100 m away would be half a metre coarse.
        """
        batch = batch.settled()
        with torch.autocast(batch.graph["agent"].history.device.type, enabled=False):
            agents, _ = pad(self.agents(agent_vectors(batch)), batch, "agent")
            lanes, _ = pad(self.lanes(lane_vectors(batch)), batch, "lane")
            return scene_tokens(agents, lanes, agent_rows(batch), batch)


def agent_vectors(batch: SceneBatch) -> Vectors:
    """Vectors of the histories, one per frame but the first: x, y, dx, dy [m], seen (0, 1), time [s] since the first.

    Only the unbroken run of frames that ends at the last observed one counts; a vector outside of it is all zero.
    """
    agents = batch.graph["agent"]
    seen = last_run(agents.history_valid)
    displacement, _ = steps(agents.history, seen)
    time = batch.timestamps[agents.batch]
    flags = torch.stack([seen, time], dim=-1)
    features = torch.cat([agents.history[:, 1:], displacement, flags[:, 1:]], dim=-1)
    count, length = features.shape[:2]
    owner = torch.arange(count, device=features.device).repeat_interleave(length)
    return Vectors(torch.where(seen[:, 1:, None], features, 0.0).flatten(0, 1), owner, count)


def lane_vectors(batch: SceneBatch) -> Vectors:
    """Vectors of the centrelines: end x, y, dx, dy [m], turn (0, 1, 2), intersection (0, 1), traffic control (0, 1)."""
    lanes = batch.graph["lane"]
    start, end, lane = lane_segments(batch)
    features = torch.cat([end, end - start, lane_attributes(lanes)[lane]], dim=1)
    return Vectors(features, lane, len(lanes.points))


def last_run(valid: Bool[Tensor, "a t"]) -> Bool[Tensor, "a t"]:
    """The unbroken run of True that ends at the last frame."""
    return valid.flip(1).long().cumprod(1).flip(1).bool()


class GlobalGraph(nn.Module):
    """One round of attention among the agents and lanes of a scene: norm(linear(x)) + norm(linear(attention(x))).

    Attributes:
        query, key, value: of a single attention head as wide as the tokens.
        attended: what happens to the mixed values.
        kept: what happens to the token itself.
        activation: ReLU between two rounds, nothing after the last.
    """

    def __init__(self, dim: int, last: bool):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.attended = nn.Sequential(nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, dim), nn.LayerNorm(dim))
        self.kept = nn.Sequential(nn.Linear(dim, dim), nn.LayerNorm(dim))
        self.activation = nn.Identity() if last else nn.ReLU()

    def forward(self, tokens: TokenSet) -> TokenSet:
        """Tokens that have looked at the valid ones of their scene; what stands in padding has no meaning."""
        x = tokens.features
        mixed = nn.functional.scaled_dot_product_attention(
            self.query(x), self.key(x), self.value(x), attn_mask=tokens.valid[:, None, :]
        )
        return tokens.replace(features=self.activation(self.kept(x) + self.attended(mixed)))


class GlobalGraphs(nn.Sequential):
    """Second stage: rounds of attention, TokenSet -> TokenSet."""

    def __init__(self, dim: int, depth: int):
        super().__init__(*(GlobalGraph(dim, last=i == depth - 1) for i in range(depth)))


class VectorNet(Encoder):
    """SceneBatch -> TokenSet in the stages ``subgraph`` and ``global``, of equal width."""

    def __init__(self, config: VectorNetConfig):
        super().__init__()
        dim = 2 * config.widths[-1]
        self.stages = nn.ModuleDict(
            {"subgraph": SubGraphs(config.widths), "global": GlobalGraphs(dim, config.global_depth)}
        )
        self.dims = dict.fromkeys(self.stages, dim)
        glorot_matrices(self)
        zero_biases(self)

    def taken(self, given: Any) -> SceneBatch:
        """A SceneBatch, or a list of them."""
        return SceneBatch.of(given)
