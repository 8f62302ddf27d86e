"""Meta's LLaMA folders: one or several model-parallel shards, and the order of query and key rows."""

import pytest
import torch
from meta_files import HEAD, PARAMS, interleaved, write_meta
from weight_sources import TINY, layer_of, llama_state, same

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.rotary import half_split
from geo_lm4ve.blocks.weights import load_layers
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_shards_are_joined_into_transformers_tensors(tmp_path, shards, dtype):
    state = llama_state(dtype=dtype)
    weights = load_layers(f"meta:{write_meta(tmp_path, state, shards)}", [0, 1], final_norm=True)
    assert same(weights.layers[0], layer_of(state, 0))
    assert same(weights.layers[1], layer_of(state, 1))
    assert same(weights.final_norm, {"weight": state["model.norm.weight"]})


def test_the_config_is_transformers_and_takes_the_ffn_size_from_the_weights(tmp_path):
    config = load_layers(f"meta:{write_meta(tmp_path, llama_state(), 2)}").config
    assert config == TINY


def test_without_n_kv_heads_every_head_has_its_own_keys(tmp_path):
    params = {key: value for key, value in PARAMS.items() if key != "n_kv_heads"} | {"rope_theta": 5e5}
    state = llama_state(TINY | {"num_key_value_heads": 4})
    weights = load_layers(f"meta:{write_meta(tmp_path, state, params=params)}")
    assert weights.config["num_key_value_heads"] == 4
    assert weights.config["rope_theta"] == 5e5
    assert same(weights.layers[0], layer_of(state, 2))


def test_scaled_rotary_becomes_transformers_llama3_scaling(tmp_path):
    weights = load_layers(f"meta:{write_meta(tmp_path, llama_state(), params=PARAMS | {'use_scaled_rope': True})}")
    assert weights.config["rope_scaling"] == {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }


def test_rotated_scores_of_converted_rows_equal_metas():
    """Meta turns neighbouring components as complex numbers; transformers turns halves. The scores must agree."""
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 4 * HEAD, 64, dtype=torch.float64, generator=generator)
    tokens = torch.randn(5, 64, dtype=torch.float64, generator=generator)
    angles = torch.outer(torch.arange(5.0), 10000.0 ** (-torch.arange(0, HEAD, 2) / HEAD)).double()

    def as_complex(rows):
        pairs = torch.view_as_complex((tokens @ rows.T).reshape(5, 4, HEAD // 2, 2))
        turned = pairs * torch.polar(torch.ones_like(angles), angles)[:, None]
        return torch.view_as_real(turned).flatten(2)

    def as_halves(rows):
        x = (tokens @ half_split(rows, 4).T).reshape(5, 4, HEAD)
        first, second = x.split(HEAD // 2, -1)
        cos, sin = angles.cos()[:, None], angles.sin()[:, None]
        return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

    meta = torch.einsum("ihd,jhd->hij", as_complex(query), as_complex(key))
    ours = torch.einsum("ihd,jhd->hij", as_halves(query), as_halves(key))
    assert_equal_up_to_rounding(ours, meta)
    plain = torch.einsum("ihd,jhd->hij", *((tokens @ w.T).reshape(5, 4, HEAD) for w in (query, key)))
    assert (plain - meta).abs().max() > 1, "the rotation must have done something"


def test_half_split_undoes_the_interleaving_of_weights_and_biases():
    for rows in (torch.randn(64, 5), torch.randn(64)):
        assert torch.equal(half_split(interleaved(rows), 4), rows)


@pytest.mark.parametrize("gone", [0, 1])
def test_a_missing_shard_is_named(tmp_path, gone):
    write_meta(tmp_path, llama_state(), 2)
    (tmp_path / f"consolidated.{gone:02d}.pth").unlink()
    with pytest.raises(BlockError, match=rf"consolidated\.{gone:02d}\.pth"):
        load_layers(f"meta:{tmp_path}")


def test_norms_that_differ_between_shards_are_refused(tmp_path):
    write_meta(tmp_path, llama_state(), 2)
    path = tmp_path / "consolidated.01.pth"
    torch.save(torch.load(path) | {"layers.2.ffn_norm.weight": torch.zeros(64)}, path)
    with pytest.raises(BlockError, match=r"layers\.2\.ffn_norm\.weight differs between .*00\.pth and .*01\.pth"):
        load_layers(f"meta:{tmp_path}")


def test_a_key_missing_in_one_shard_is_named(tmp_path):
    write_meta(tmp_path, llama_state(), 2)
    path = tmp_path / "consolidated.01.pth"
    held = torch.load(path)
    del held["layers.2.attention.wo.weight"]
    torch.save(held, path)
    with pytest.raises(BlockError, match=r"consolidated\.01\.pth lacks layers\.2\.attention\.wo\.weight"):
        load_layers(f"meta:{tmp_path}")


def test_what_is_no_meta_folder_is_refused(tmp_path):
    with pytest.raises(BlockError, match=r"has no params\.json"):
        load_layers(f"meta:{tmp_path}")
    (tmp_path / "params.json").write_text("{}")
    with pytest.raises(BlockError, match=r"holds no consolidated"):
        load_layers(f"meta:{tmp_path}")
    torch.save({"x": torch.ones(1)}, tmp_path / "consolidated.00.pth")
    with pytest.raises(BlockError, match=r"holds no …attention\.wq\.weight"):
        load_layers(f"meta:{tmp_path}")
    write_meta(tmp_path, llama_state(), params={"n_layers": 3})
    with pytest.raises(BlockError, match=r"it lacks params\.json:dim"):
        load_layers(f"meta:{tmp_path}")


def test_a_cut_shard_is_named(tmp_path):
    path = write_meta(tmp_path, llama_state()) / "consolidated.00.pth"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(BlockError, match=r"consolidated\.00\.pth is cut off, damaged or not "):
        load_layers(f"meta:{tmp_path}")
