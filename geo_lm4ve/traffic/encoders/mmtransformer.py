"""mmTransformer: proposals of each agent read its history, then the lanes, then the other agents (arXiv 2103.11624)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import Lengths, TokenSet
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.encoders.initialisation import glorot_matrices
from geo_lm4ve.traffic.encoders.polylines import PolylineNet, Vectors, lane_attributes, lane_segments, steps
from geo_lm4ve.traffic.encoders.scene_tokens import AGENT_ROWS, agent_rows, pad, scene_tokens
from geo_lm4ve.traffic.encoders.stacked_transformer import SinusoidalPositions, TransformerDecoder, TransformerEncoder
from geo_lm4ve.traffic.sample import sample_batch

HISTORY_FEATURES, LANE_FEATURES, LANE_LEVELS = 4, 7, 2
PROPOSALS = "proposals"


@register("encoder", "mmtransformer")
@dataclass
class MmTransformerConfig(EncoderConfig):
    """mmTransformer with six proposals per agent, as decisionforce/mmTransformer released it (inference code only).

    Its stages are two readings of the paper's "before the decoder", and the choice is ours:

    * ``agents_lanes``: tokens of width ``dim`` in the spans ``agents`` (after social attention) and ``lanes``. The
      lanes' tokens serve the agents' ones inside a block; nothing reads them afterwards.
    * ``proposals`` (the last, hence the default): K consecutive tokens of width 2 ``dim`` for each agent, in the span
      ``proposals``. The head is the official one, unchanged.

    It holds for any number of observed frames, future frames and points per lane. Lanes with fewer points are not
    padded with vectors of length zero, as the official code does for the 61 such lanes of Argoverse 1.

    Attributes:
        dim: width of the transformers; a multiple of ``heads`` and of 2.
        depth: layers of each encoder and decoder.
        heads: attention heads.
        mlp_dim: hidden width of a layer's MLP.
        lane_width: width of both levels of the lanes' polyline network.
        position_dim: width of the embedding of an agent's position.
        proposals: proposals K per agent.
    """

    takes: ClassVar[type | None] = SceneBatch
    offers: ClassVar[frozenset[str] | None] = frozenset({PROPOSALS, AGENT_ROWS})

    name: str = "mmtransformer"
    dim: int = 128
    depth: int = 2
    heads: int = 2
    mlp_dim: int = 256
    lane_width: int = 32
    position_dim: int = 64
    proposals: int = 6

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("dim", "depth", "heads", "mlp_dim", "lane_width", "position_dim", "proposals"):
            if getattr(self, key) < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {getattr(self, key)}")
        if self.dim % self.heads or self.dim % 2:
            raise ConfigError(f"encoder.dim {self.dim} must be even and a multiple of encoder.heads {self.heads}")

    def build(self) -> MmTransformer:
        """The encoder initialised as officially: Glorot-uniform matrices, orthogonal queries."""
        return MmTransformer(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> SceneBatch:
        """Scenes of different sizes."""
        return sample_batch(size, seed)


class HistoryTransformer(nn.Module):
    """K learned queries read the steps of one agent's history (official ``hist_tf``)."""

    def __init__(self, config: MmTransformerConfig):
        super().__init__()
        sizes = (config.depth, config.dim, config.heads, config.mlp_dim)
        self.embed = nn.Linear(HISTORY_FEATURES, config.dim)
        self.positions = SinusoidalPositions(config.dim)
        self.encoder, self.decoder = TransformerEncoder(*sizes), TransformerDecoder(*sizes)
        self.scale = math.sqrt(config.dim)

    def forward(self, history: Float[Tensor, "a s 4"], queries: Float[Tensor, "k d"]) -> Float[Tensor, "a k d"]:
        """The queries of each agent after reading its history."""
        memory = self.encoder(self.positions(self.embed(history) * self.scale))
        return self.decoder(queries.expand(len(history), 1, -1, -1), memory)[:, 0]


class StackedTransformer(nn.Module):
    """First stage: proposals read history and lanes; agents, as sums of their proposals, read each other.

    Attributes:
        queries: (K, D) what the proposals start from.
        unused_social_decoder: never called, in the official code neither; here so that official checkpoints load and
            are written whole. It does not train.
    """

    def __init__(self, config: MmTransformerConfig):
        super().__init__()
        dim, place = config.dim, config.position_dim
        sizes = (config.depth, dim, config.heads, config.mlp_dim)
        self.scale = math.sqrt(dim)
        self.queries = nn.Parameter(torch.empty(config.proposals, dim))
        self.history = HistoryTransformer(config)
        self.position = _embedding(2, place, place)
        self.history_position = _embedding(place + dim, dim, dim)
        self.lane_embed = nn.Linear(2 * config.lane_width, dim)
        self.lane_encoder, self.lane_decoder = TransformerEncoder(*sizes), TransformerDecoder(*sizes)
        self.summary = _embedding(config.proposals * dim, dim, dim)
        self.summary_position = _embedding(place + dim, dim, dim)
        self.social_encoder = TransformerEncoder(*sizes)
        self.unused_social_decoder = TransformerDecoder(*sizes).requires_grad_(False)
        glorot_matrices(self)
        nn.init.orthogonal_(self.queries)
        self.lane_net = PolylineNet(LANE_FEATURES, [config.lane_width] * LANE_LEVELS, layers=1)

    def forward(self, batch: SceneBatch) -> TokenSet:
        """Tokens of agents and lanes; ``context["proposals"]`` (B, N, K, D) are the agents' proposals.

        Mixed precision pauses here: with 8 bits, positions 65 m away would be a quarter of a metre coarse.
        """
        batch = batch.settled()
        with torch.autocast(self.queries.device.type, enabled=False):
            rows = agent_rows(batch)
            place = self.position(batch.graph["agent"].history[:, -1].to(self.queries.dtype))
            proposals, _ = pad(self.read_history(batch, place), batch, "agent")
            lanes, lane_valid = pad(self.lane_embed(self.lane_net(lane_vectors(batch))) * self.scale, batch, "lane")
            lanes = self.lane_encoder(lanes, lane_valid)
            proposals = self.lane_decoder(proposals, lanes, lane_valid)
            agents = self.meet(proposals, pad(place, batch, "agent")[0], rows >= 0)
            return scene_tokens(agents, lanes, rows, batch).with_context(**{PROPOSALS: proposals})

    def read_history(self, batch: SceneBatch, place: Float[Tensor, "a p"]) -> Float[Tensor, "a k d"]:
        """The proposals of every agent after reading its history, mixed with the embedding of where it is."""
        read = self.history(history_features(batch).to(place.dtype), self.queries)
        return self.history_position(torch.cat([place[:, None].expand(-1, read.shape[1], -1), read], dim=-1))

    def meet(
        self, proposals: Float[Tensor, "b n k d"], place: Float[Tensor, "b n p"], valid: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b n d"]:
        """Agents, each summarised out of its proposals and its place, after attention to the valid ones."""
        summary = self.summary(proposals.flatten(2))
        return self.social_encoder(self.summary_position(torch.cat([place, summary], dim=-1)), valid)


def history_features(batch: SceneBatch) -> Float[Tensor, "a s 4"]:
    """Steps of the histories: dx, dy [m], mean time [s] since the first frame, whether both frames were seen (0, 1)."""
    agents = batch.graph["agent"]
    displacement, seen = steps(agents.history, agents.history_valid)
    time = (batch.timestamps[:, 1:] + batch.timestamps[:, :-1])[agents.batch] / 2
    return torch.cat([displacement, time[..., None], seen[..., None]], dim=-1)


def lane_vectors(batch: SceneBatch) -> Vectors:
    """Vectors of the centrelines: start x, y, end x, y [m], intersection (1, 2), turn (1, 2, 3), control (1, 2)."""
    lanes = batch.graph["lane"]
    start, end, lane = lane_segments(batch)
    turn, intersection, control = (lane_attributes(lanes)[lane] + 1).split(1, dim=1)
    return Vectors(torch.cat([start, end, intersection, turn, control], dim=1), lane, len(lanes.points))


class Proposals(nn.Module):
    """Second stage: each proposal becomes a token, its agent's token in front and itself behind."""

    def forward(self, tokens: TokenSet) -> TokenSet:
        """K consecutive tokens per agent in the span ``proposals``, where the agent is; the lanes' tokens end here."""
        context = dict(tokens.context)
        proposals, agents = context.pop(PROPOSALS), tokens.select("agents").settled()
        modes = proposals.shape[2]
        counts = tuple(modes * count for count in agents.lengths.total)
        paired = torch.cat([agents.features[:, :, None].expand_as(proposals), proposals], dim=-1)
        return TokenSet(
            features=paired.flatten(1, 2),
            valid=agents.valid.repeat_interleave(modes, dim=1),
            spans={PROPOSALS: (0, modes * proposals.shape[1])},
            positions=None if agents.positions is None else agents.positions.repeat_interleave(modes, dim=1),
            context=context,
            known=Lengths(counts, {PROPOSALS: counts}),
        )


class MmTransformer(Encoder):
    """SceneBatch -> TokenSet in the stages ``agents_lanes`` and ``proposals``."""

    def __init__(self, config: MmTransformerConfig):
        super().__init__()
        self.stages = nn.ModuleDict({"agents_lanes": StackedTransformer(config), "proposals": Proposals()})
        self.dims = {"agents_lanes": config.dim, "proposals": 2 * config.dim}

    def taken(self, given: Any) -> SceneBatch:
        """A SceneBatch, or a list of them."""
        return SceneBatch.of(given)


def _embedding(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, outputs))
