"""What was published of Point-BERT, of the paper's Point-BERT with LLaMA, and of PointNeXt, as classifiers."""

from __future__ import annotations

from typing import Any

from geo_lm4ve.pretrained.published import Benchmark, Published

MODELNET40 = Benchmark("ModelNet40", 2468)
PAPER = "table 2 of the paper (arXiv 2310.12973)"
_BEST_EPOCH = "the epoch that was best on test"

POINT_BERT = {
    "encoder.dim": 384, "encoder.depth": 12, "encoder.heads": 6, "encoder.group_size": 32,
    "encoder.pointnet_width": 128, "encoder.encoder_dim": 256, "encoder.features": [], "head.hidden": [256],
    "head.norm": "none", "data.limit": None, "data.normalize_after": False,
}  # fmt: skip

POINTNEXT_S = {
    "block.name": "identity", "encoder.blocks": [1, 1, 1, 1], "encoder.sa_layers": 2, "encoder.sa_residual": True,
    "encoder.radius": 0.15, "encoder.radius_scaling": 1.5, "encoder.neighbours": 32, "head.hidden": [512, 256],
    "data.limit": None, "data.points": 1024, "data.up": "y",
}  # fmt: skip


def _accuracy(overall: float, mean: float, spreads: tuple[float, float] | None = None) -> dict[str, float]:
    """Percentages as the metrics of ``task=classify``."""
    values = {"overall_accuracy": overall, "mean_class_accuracy": mean}
    if spreads:
        values |= {"overall_accuracy_std": spreads[0], "mean_class_accuracy_std": spreads[1]}
    return {name: round(value / 100, 6) for name, value in values.items()}


def _overall(**percent: float) -> dict[str, dict[str, float]]:
    """Who gives it -> overall accuracy, from percentages; ``_`` stands for a blank."""
    return {who.replace("_", " "): {"overall_accuracy": round(value / 100, 6)} for who, value in percent.items()}


def _modelnet40(points: int) -> dict[str, Any]:
    """A group for every 16 points. From 4,096 points on, the stored ones lie in farthest point order."""
    sampled = {"data.sampling": "fps_random"} if points == 1024 else {}
    return {**POINT_BERT, "data.points": points, "encoder.num_groups": points // 16, **sampled}


SCANOBJECTNN = {
    **POINT_BERT, "data.points": 1024, "encoder.num_groups": 64, "data.sampling": "fps_random", "data.normalize": False,
}  # fmt: skip
VARIANTS = {
    "OBJ_BG": Benchmark("ScanObjectNN OBJ_BG"),
    "OBJ_ONLY": Benchmark("ScanObjectNN OBJ_ONLY"),
    "PB_T50_RS": Benchmark("ScanObjectNN PB_T50_RS", 2882),
}
_SAMPLED = f"its sampling passed over points near the origin (encoder.skip_near_origin=0.001); {_BEST_EPOCH}"
_CLOUDS = "on clouds of ModelNet40's normal-resampled release"
ALONE = {"block.name": "identity"}
ROUND_A_BLOCK = {"bridge.after": None, "bridge.spans": None, "bridge.residual": "none"}

FINE_TUNED = (
    *(
        Published(
            "Point-BERT", MODELNET40, values=_overall(README=plain), source=f"Point-BERT's README, and {PAPER}",
            conditions={**_modelnet40(points), **ALONE}, protocol=f"{_CLOUDS}; {_SAMPLED}",
        )
        for points, plain in ((1024, 92.67), (4096, 92.91), (8192, 93.19))
    ),
    *(
        Published(
            "Point-BERT", MODELNET40, values=_overall(README=voted), source="Point-BERT's README",
            conditions={**_modelnet40(points), **ALONE, "task.votes": 10},
            protocol=f"the best of nine votings of ten views, {_CLOUDS}; {_SAMPLED}",
        )
        for points, voted in ((1024, 93.24), (4096, 93.48), (8192, 93.76))
    ),
    *(
        Published(
            "Point-BERT", VARIANTS[variant], values=_overall(README=release, paper=paper),
            source=f"Point-BERT's README, and {PAPER}", conditions={**SCANOBJECTNN, **ALONE}, protocol=_SAMPLED,
        )
        for variant, release, paper in (("OBJ_BG", 87.43, 87.4), ("OBJ_ONLY", 88.12, 88.1), ("PB_T50_RS", 83.07, 83.1))
    ),
)  # fmt: skip
"""Of fine-tuned classifiers without a frozen block."""

WITH_LLAMA = (
    *(
        Published(
            "Point-BERT with LLaMA", MODELNET40, values=_overall(paper=percent), source=PAPER,
            conditions={**_modelnet40(points), **ROUND_A_BLOCK}, protocol=f"{_CLOUDS}; {_SAMPLED}",
        )
        for points, percent in ((1024, 92.42), (4096, 92.82), (8192, 93.56))
    ),
    *(
        Published(
            "Point-BERT with LLaMA", VARIANTS[variant], values=_overall(paper=paper, README_of_its_code=code),
            source=f"{PAPER}, and the README of LM4VisualEncoding", conditions={**SCANOBJECTNN, **ROUND_A_BLOCK},
            protocol=_SAMPLED,
        )
        for variant, paper, code in (("OBJ_BG", 88.0, 88.64), ("OBJ_ONLY", 88.5, 88.81), ("PB_T50_RS", 83.8, 83.87))
    ),
)  # fmt: skip
"""Of files with the frozen block in them, which is compared with the model's when one is loaded."""

POINTNEXT = (
    Published(
        "PointNeXt-S of width 64", MODELNET40,
        values={
            "paper": _accuracy(93.7, 90.9, (0.3, 0.5)),
            "released checkpoint": _accuracy(94.0, 91.1),
        },
        source="PointNeXt's paper (arXiv 2206.04670) and model zoo",
        conditions={
            **POINTNEXT_S, "encoder.width": 64, "encoder.features": [], "data.normalize_after": False,
            "data.sampling": ("first_shuffled", "first"),
        },
        protocol=_BEST_EPOCH,
    ),
    Published(
        "PointNeXt-S", VARIANTS["PB_T50_RS"],
        values={
            "paper": _accuracy(87.7, 85.8, (0.4, 0.6)),
            "released checkpoint": _accuracy(88.20, 86.84),
        },
        source="PointNeXt's paper (arXiv 2206.04670) and model zoo",
        conditions={
            **POINTNEXT_S, "encoder.width": 32, "encoder.features": ["height"], "data.normalize_after": True,
            "data.sampling": "fps_random",
        },
        protocol=_BEST_EPOCH,
    ),
)  # fmt: skip
"""Of PointNeXt's classifiers."""
