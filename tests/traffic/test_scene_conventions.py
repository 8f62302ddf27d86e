import math

import pytest
import torch

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.frames import displacement_heading
from geo_lm4ve.traffic.view.conventions import (
    AgentArea,
    AgentSelection,
    Forward,
    FrameConfig,
    Heading,
    LaneArea,
    LaneSelection,
    Origin,
)

CONVENTIONS = {
    "vectornet": FrameConfig(min_move=0.0),
    "robust": FrameConfig(),
    "mmtransformer": FrameConfig(heading=Heading.regression, forward=Forward.y, min_move=2.0),
    "hivt": FrameConfig(origin=Origin.ego, min_move=0.0),
    "tnt": FrameConfig(heading=Heading.lane, forward=Forward.y),
    "forecast-mae": FrameConfig(heading=Heading.annotated),
    "city": FrameConfig(heading=Heading.city),
}


def batch_of(root, tmp_path, layout=Argoverse1Config, **options):
    config = layout(root=str(root), cache=str(tmp_path / "cache"), **options)
    split = config.build().split("train")
    return split.batch(torch.arange(len(split)))


@pytest.mark.parametrize("frame", CONVENTIONS.values(), ids=CONVENTIONS.keys())
@pytest.mark.parametrize("layout", [Argoverse1Config, Argoverse2Config], ids=["av1", "av2"])
def test_every_convention_leads_back_to_the_same_city(frame, layout, request, tmp_path):
    root = request.getfixturevalue("made_av1" if layout is Argoverse1Config else "made_av2")
    batch = batch_of(root, tmp_path, layout, frame=frame)
    files = layout(root=str(root)).files("train")
    recordings = [files.recording(item) for item in files.items]
    now = layout.layout.history
    for kind, steps in (("history", slice(None, now)), ("future", slice(now, None))):
        found = batch.to_city(batch.graph["agent"][kind][batch.targets])
        expected = torch.stack([torch.from_numpy(recording.positions[0, steps]) for recording in recordings])
        assert_equal_up_to_rounding(found, expected, dtype=torch.float32, roundings=4, scale=100.0)
    agent = batch.graph["agent"]
    speed = torch.stack([torch.from_numpy(recording.velocity[0]) for recording in recordings])
    turned = torch.polar(agent.velocity[batch.targets].norm(dim=1).double(), batch.rotation)
    angle = torch.atan2(*agent.velocity[batch.targets].double().unbind(1)[::-1])
    found = torch.polar(turned.abs(), turned.angle() + angle)
    assert_equal_up_to_rounding(torch.view_as_real(found), speed, dtype=torch.float32)


@pytest.mark.parametrize("name", ["vectornet", "mmtransformer", "tnt", "forecast-mae"])
def test_moving_targets_face_forward(name, made_av2, tmp_path):
    batch = batch_of(made_av2, tmp_path, Argoverse2Config, frame=CONVENTIONS[name])
    agent = batch.graph["agent"]
    heading = agent.heading[batch.targets]
    forward = math.pi / 2 if CONVENTIONS[name].forward is Forward.y else 0.0
    moving = agent.velocity[batch.targets].norm(dim=1) > 2
    assert moving.any()
    assert (heading[moving] - forward).abs().max() < 0.15


def test_hivt_puts_the_recording_car_at_the_origin(made_av1, tmp_path):
    batch = batch_of(made_av1, tmp_path, frame=CONVENTIONS["hivt"], agents=AgentSelection(area=AgentArea.all))
    agent = batch.graph["agent"]
    assert agent.is_ego.sum() == 7
    assert agent.history[agent.is_ego][:, -1].abs().max() < 1e-4
    assert agent.history[batch.targets][:, -1].norm(dim=1).min() > 1


def test_a_scene_without_recording_car_cannot_be_seen_from_it(made_av1, tmp_path):
    for path in (made_av1 / "train" / "data").glob("*.csv"):
        target = tmp_path / "root" / "train" / "data" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(line for line in path.read_text().splitlines(True) if ",AV," not in line))
    (tmp_path / "root" / "map_files").symlink_to(made_av1 / "map_files")
    with pytest.raises(DataError, match=r"scene 1 has no recording car .*data.frame.origin=target"):
        batch_of(tmp_path / "root", tmp_path, frame=CONVENTIONS["hivt"])


def test_turning_the_city_turns_nothing_in_the_scene(made_av1, tmp_path):
    """The same scene, recorded in a city that is turned and moved, looks the same (boxes of lanes aside)."""
    angle, shift = 0.7, (400.0, -250.0)

    def turned(x, y):
        return (
            math.cos(angle) * x - math.sin(angle) * y + shift[0],
            math.sin(angle) * x + math.cos(angle) * y + shift[1],
        )

    root = tmp_path / "turned"
    for path in (made_av1 / "train" / "data").glob("*.csv"):
        lines = [line.split(",") for line in path.read_text().splitlines()]
        for cells in lines[1:]:
            cells[3], cells[4] = (repr(value) for value in turned(float(cells[3]), float(cells[4])))
        (root / "train" / "data").mkdir(parents=True, exist_ok=True)
        (root / "train" / "data" / path.name).write_text("\n".join(map(",".join, lines)) + "\n")
    text = []
    for line in next((made_av1 / "map_files").glob("*.xml")).read_text().splitlines():
        if "<node" in line:
            key, x, y = (line.split('"')[i] for i in (1, 3, 5))
            x, y = turned(float(x), float(y))
            line = f'<node id="{key}" x="{x!r}" y="{y!r}" />'
        text.append(line)
    (root / "map_files").mkdir()
    (root / "map_files" / "pruned_argoverse_SYN_0_vector_map.xml").write_text("\n".join(text))
    lanes = LaneSelection(area=LaneArea.disc, radius=80.0)
    one = batch_of(made_av1, tmp_path / "one", lanes=lanes)
    two = batch_of(root, tmp_path / "two", lanes=lanes)
    torch.testing.assert_close(one.graph["agent"].history, two.graph["agent"].history, atol=1e-3, rtol=0)
    torch.testing.assert_close(one.graph["lane"].points, two.graph["lane"].points, atol=1e-3, rtol=0)
    assert torch.equal(one.graph["lane"].turn, two.graph["lane"].turn)


def test_a_jump_of_most_of_a_metre_does_not_turn_the_default_scene():
    """A car slows down and its last position is 0.6 m aside: the default looks back past that, as configs have it."""
    track = torch.zeros(1, 20, 2, dtype=torch.float64)
    track[0, :, 0] = torch.linspace(0, 10, 20).sqrt() * 3
    track[0, -1, 1] = 0.6
    frames = FrameConfig(), make("data", "argoverse1").frame
    for frame in frames:
        assert displacement_heading(track, min_move=frame.min_move).abs().item() < math.radians(35)
    assert frames[0] == frames[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lanes": {"radius": 500.0}}, "data.lanes.radius=500"),
        ({"agents": {"radius": 0.0}}, "data.agents.radius=0"),
        ({"agents": {"limit": 0}}, "data.agents.limit=0"),
        ({"lanes": {"points": 1}}, "data.lanes.points=1"),
        ({"frame": {"min_move": -1.0}}, "data.frame.min_move=-1"),
        ({"frame": {"heading": "compass"}}, "compass"),
        ({"val_fraction": 1.0}, "data.val_fraction=1.0"),
        ({"limit": 0}, "data.limit=0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_out_of_range_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        make("data", "argoverse1", options)


def test_shipped_options_are_the_conventions_they_name():
    mmtransformer = load_option("data", "argoverse1_mmtransformer")
    assert (mmtransformer.frame.heading, mmtransformer.frame.forward) == (Heading.regression, Forward.y)
    assert (mmtransformer.agents.area, mmtransformer.agents.radius, mmtransformer.agents.min_history) == (
        AgentArea.disc, 56.0, 4,
    )  # fmt: skip
    assert (mmtransformer.lanes.area, mmtransformer.lanes.radius) == (LaneArea.overlaps_box, 65.0)
    vectornet = load_option("data", "argoverse1")
    assert (vectornet.agents.area, vectornet.lanes.area) == (AgentArea.box, LaneArea.inside_box)
    assert vectornet == Argoverse1Config()
    assert load_option("data", "argoverse2") == Argoverse2Config()
