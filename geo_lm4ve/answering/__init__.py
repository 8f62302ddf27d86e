"""Questions and answers: metrics, protocols, and what is scored with them. ``PARTS``: which module registers what."""

VARIANTS = {
    "scanqa": ("official", "vista", "3d-llm", "ll3da", "leo", "chat-scene", "llava-3d", "lmms-interleave"),
    "sqa3d": ("exact", "refined", "loose"),
}
"""Protocols of answers by data set, in the order of tables; the first is what the name of the data set alone means.

SQA3D has one more, of places: ``sqa3d:localisation``."""

PARTS = {
    "scorer": {
        name: ".scorer"
        for data, variants in VARIANTS.items()
        for name in (data, *(f"{data}:{variant}" for variant in (*variants, "all")))
    }
    | {"sqa3d:localisation": ".scorer"}
}
