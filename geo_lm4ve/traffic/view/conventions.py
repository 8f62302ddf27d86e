"""Which frame a scene is given in, and which agents and lanes it shows: the conventions of the field as options.

| convention | origin | heading | forward | agents | lanes |
|---|---|---|---|---|---|
| VectorNet (StreamingForecasting, LaneGCN) | target | displacement, min_move 0 | x | box 100 | inside_box 100 |
| mmTransformer | target | regression, min_move 2 | y | disc 56, min_history 4 | overlaps_box 65 |
| HiVT | ego | displacement, min_move 0 | x | all | near_agents 50 |
| TNT | target | lane | y | box 100 | inside_box 100 |
| forecast-mae (Argoverse 2) | target | annotated | x | disc 150 | disc 150 |
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from geo_lm4ve.config import ConfigError
from geo_lm4ve.traffic.cache.packing import REACH


class Origin(enum.Enum):
    """Whose last observed position is (0, 0)."""

    target = "the agent to forecast"
    ego = "the recording car"


class Heading(enum.Enum):
    """How the direction of the agent at the origin is found."""

    displacement = "from its latest position at least min_move away to its last one"
    regression = "a line through its latest positions, min_move long (mmTransformer)"
    annotated = "the heading that comes with the data; Argoverse 1 has none, so there it is read off displacements"
    lane = "the nearest centreline within 4.5 m, else its last three steps (TNT)"
    city = "not at all: axes of the city"


class Forward(enum.Enum):
    """The axis on which that direction comes to lie."""

    x = "+x"
    y = "+y"


class AgentArea(enum.Enum):
    """Where an agent must be, at its last observed step, to be shown."""

    box = "|x|, |y| <= radius in the scene's axes"
    disc = "within radius of the origin"
    all = "anywhere"


class LaneArea(enum.Enum):
    """Where a lane must lie to be shown. Boxes are aligned with the city's axes, as in the official queries."""

    inside_box = "every point within |x|, |y| <= radius"
    overlaps_box = "its bounding box overlaps |x|, |y| <= radius"
    disc = "a point within radius of the origin"
    near_agents = "a point within radius of an agent shown"


@dataclass
class FrameConfig:
    """The scene's frame.

    Attributes:
        origin: whose last observed position is (0, 0).
        heading: how the direction of that agent is found. An agent that never moves has heading 0.
        forward: the axis on which it comes to lie.
        min_move: for ``displacement`` and ``regression``: length of path to look back over [m], so that the noise of a
            standing agent does not turn the scene. 0 with ``displacement``: the last step alone, as VectorNet does.
    """

    origin: Origin = Origin.target
    heading: Heading = Heading.displacement
    forward: Forward = Forward.x
    min_move: float = 1.0


@dataclass
class AgentSelection:
    """Which agents a scene shows; the target always is.

    Attributes:
        area: where they must be.
        radius: [m].
        min_history: observed steps that an agent must have.
        seen_last: leave out agents that are not seen at the last observed step.
        limit: keep the nearest only; None: all.
    """

    area: AgentArea = AgentArea.box
    radius: float = 100.0
    min_history: int = 1
    seen_last: bool = True
    limit: int | None = None


@dataclass
class LaneSelection:
    """Which lanes a scene shows.

    Attributes:
        area: where they must lie.
        radius: [m]; at most 200, what is kept of the map with a scene.
        limit: keep the nearest only; None: all.
        points: resample centrelines of more than so many points to it, evenly by length; None: as in the map.
    """

    area: LaneArea = LaneArea.inside_box
    radius: float = 100.0
    limit: int | None = None
    points: int | None = None


@dataclass
class SceneView:
    """How a stored scene is shown: its frame, agents and lanes."""

    frame: FrameConfig = field(default_factory=FrameConfig)
    agents: AgentSelection = field(default_factory=AgentSelection)
    lanes: LaneSelection = field(default_factory=LaneSelection)

    def check(self) -> None:
        """Check ranges; raises ConfigError."""
        agents, lanes = self.agents, self.lanes
        if self.frame.min_move < 0:
            raise ConfigError(f"data.frame.min_move={self.frame.min_move} must be at least 0 m")
        if agents.radius <= 0 or agents.min_history < 1:
            raise ConfigError(
                f"data.agents.radius={agents.radius} must be above 0 and data.agents.min_history={agents.min_history} "
                "at least 1"
            )
        if not 0 < lanes.radius <= REACH:
            raise ConfigError(f"data.lanes.radius={lanes.radius} must be above 0 and at most {REACH:g} m")
        limits = {"agents.limit": agents.limit, "lanes.limit": lanes.limit, "lanes.points": lanes.points}
        for name, limit in limits.items():
            least = 2 if name == "lanes.points" else 1
            if limit is not None and limit < least:
                raise ConfigError(f"data.{name}={limit} must be at least {least}, or null")
