"""Traffic scenes: Argoverse 1 and 2, VectorNet, mmTransformer, forecasting. ``PARTS``: which module registers what."""

PARTS = {
    "data": {
        "argoverse1": ".argoverse.argoverse1",
        "argoverse2": ".argoverse.argoverse2",
        "synthetic_traffic": ".synthetic.source",
        "synthetic_traffic_av2": ".synthetic.source",
    },
    "encoder": {
        "kinematic": ".encoders.kinematic",
        "mmtransformer": ".encoders.mmtransformer",
        "vectornet": ".encoders.vectornet",
    },
    "head": {
        "constant_turn_rate": ".heads.kinematic",
        "constant_velocity": ".heads.kinematic",
        "lane_follower": ".heads.lane_follower",
        "mmtransformer": ".heads.mmtransformer",
        "vectornet": ".heads.vectornet",
    },
    "task": {"forecast": ".forecast.task"},
    "preparer": {
        "argoverse1": ".argoverse.prepare",
        "argoverse2": ".argoverse.prepare",
        "synthetic_traffic": ".synthetic.prepare",
        "synthetic_traffic_av2": ".synthetic.prepare",
    },
    "scorer": {"av1": ".scoring.scorer", "av2": ".scoring.scorer"},
    "checkpoints": {"mmtransformer": ".checkpoints.mmtransformer", "vectornet": ".checkpoints.vectornet"},
}
