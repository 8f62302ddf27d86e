"""Turning and shifting the city turns and shifts the forecasts, and changes nothing else."""

import math

import numpy as np
import pytest
import torch

from geo_lm4ve.create import create_model
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.cache.packing import Scene, pack_scenes
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap
from geo_lm4ve.traffic.view.assembly import assemble
from geo_lm4ve.traffic.view.conventions import (
    AgentArea,
    AgentSelection,
    Forward,
    FrameConfig,
    Heading,
    LaneArea,
    LaneSelection,
    SceneView,
)

AGENTS, T, F = 5, 20, 30
FRAMES = {
    "vectornet": FrameConfig(heading=Heading.displacement, forward=Forward.x),
    "mmtransformer": FrameConfig(heading=Heading.regression, forward=Forward.y, min_move=2.0),
}


def moved(points, angle, shift):
    cos, sin = math.cos(angle), math.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) + shift


def city(angle, shift, standing):
    """One scene of a city that is turned by ``angle`` and shifted."""
    random = np.random.default_rng(0)
    velocity = random.normal(0, 8, (AGENTS, 1, 2))
    velocity[0] *= not standing
    time = 0.1 * np.arange(1 - T, F + 1)[None, :, None]
    positions = random.normal(0, 30, (AGENTS, 1, 2)) + velocity * time + 0.02 * time**2 * velocity[..., ::-1]
    valid = random.random((AGENTS, T + F)) > 0.1
    valid[0], valid[:, T - 1] = True, True
    positions = np.where(valid[..., None], moved(positions.reshape(-1, 2), angle, shift).reshape(positions.shape), 0.0)
    recording = Recording(
        scene_id="1",
        city="PIT",
        history=T,
        track_ids=[str(i) for i in range(AGENTS)],
        types=np.ones(AGENTS, dtype=np.int8),
        categories=np.zeros(AGENTS, dtype=np.int8),
        positions=positions,
        valid=valid,
        heading=np.zeros(AGENTS),
        velocity=np.zeros((AGENTS, 2)),
        times=0.1 * np.arange(T),
        ego=-1,
    )
    starts = random.normal(0, 30, (8, 1, 2))
    lines = starts + random.normal(0, 1, (8, 1, 2)) * np.arange(10)[None, :, None]
    lanes = [Lane(i, moved(line, angle, shift), turn=i % 3) for i, line in enumerate(lines)]
    return Scene(recording, VectorMap.of(lanes, "map"))


def batch_of(scene, frame):
    disc = AgentSelection(area=AgentArea.disc), LaneSelection(area=LaneArea.disc)
    return assemble(pack_scenes([scene]), torch.tensor([0]), torch.tensor([0]), SceneView(frame, *disc), F)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("standing", [False, True], ids=["driving", "standing"])
def test_forecasts_turn_with_the_city(name, standing):
    torch.manual_seed(0)
    model = create_model(f"{name}_small", block="identity").eval()
    angle, shift = (0.0 if standing else 2.2), np.array([1234.5, -678.9])  # nothing tells where a standing car looks
    before = batch_of(city(0.0, np.zeros(2), standing), FRAMES[name])
    after = batch_of(city(angle, shift, standing), FRAMES[name])
    with torch.no_grad():
        one, two = model(before), model(after)
    assert_equal_up_to_rounding(two.positions, one.positions)
    assert_equal_up_to_rounding(two.probabilities, one.probabilities)
    expected = moved(before.to_city(one.positions).numpy().reshape(-1, 2), angle, shift)
    found = after.to_city(two.positions).numpy().reshape(-1, 2)
    assert_equal_up_to_rounding(found, expected, dtype=torch.float32, scale=float(one.positions.abs().max()))
