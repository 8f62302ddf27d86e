"""Models with golden weights, loaded as official files, with and without layers of a small LLaMA."""

import json

import torch
from golden_weights import fill

from geo_lm4ve.create import create_model
from geo_lm4ve.pretrained import load_official, to_official

LLAMA = {"dim": 64, "n_heads": 4, "multiple_of": 16, "norm_eps": 1e-6, "vocab_size": -1}
"""The small LLaMA of the rows with one: a feed-forward width of 176."""


def llama_layers(count, dim):
    """The names and shapes of the frozen layers and their adapters in a checkpoint of the paper's authors."""
    state = {"llama.norm.weight": (64,), "llama_dim_mapper1.weight": (64, dim), "llama_dim_mapper2.weight": (dim, 64)}
    for layer in range(count):
        at = f"llama.layers.{layer}"
        state |= {f"{at}.attention.{name}.weight": (64, 64) for name in ("wq", "wk", "wv", "wo")}
        state |= {f"{at}.feed_forward.{name}.weight": (176, 64) for name in ("w1", "w3")}
        state |= {f"{at}.feed_forward.w2.weight": (64, 176), f"{at}.attention_norm.weight": (64,)}
        state[f"{at}.ffn_norm.weight"] = (64,)
    return {key: torch.zeros(shape) for key, shape in state.items()}


def golden_model(name, classes, folder, layers=0, dtype=torch.float32):
    """A model with golden weights, loaded as an official file, its layers of LLaMA out of a folder as Meta has them."""
    with torch.device("meta"):
        plain = create_model(name, block="identity", num_classes=classes)
    own = {key: torch.zeros(value.shape) for key, value in to_official(plain).items()}
    state = fill({**own, **(llama_layers(layers, plain.head.dim) if layers else {})})
    block = "identity"
    if layers:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "params.json").write_text(json.dumps({**LLAMA, "n_layers": layers}))
        held = {key.removeprefix("llama."): value for key, value in state.items() if key.startswith("llama.")}
        torch.save({"tok_embeddings.weight": torch.zeros(8, 64), **held}, folder / "consolidated.00.pth")
        block = {"name": "llama_7b", "source": f"meta:{folder}", "layers": list(range(layers))}
    model = create_model(name, block=block, num_classes=classes)
    load_official(model, state, allow=("llama",))  # compared with layers of LLaMA, whose heads are 128 wide
    return model.to(dtype).eval()
