"""What stands between the adapters: frozen layers of language models, and the paper's controls."""

PARTS = {
    "block": {
        "identity": ".controls",
        "mlp": ".controls",
        "permuted": ".controls",
        "pretrained": ".frozen",
        "random": ".controls",
    },
}
