"""The hub over a loopback server: exact ranges, resumed downloads, the cache, and what refusals say."""

import functools
import json
import logging
import zipfile
from concurrent.futures import ThreadPoolExecutor

import huggingface_hub.constants
import pytest
import torch
from safetensors import safe_open
from weight_sources import COMMIT, TINY, HubServer, layer_of, llama_state, same, write_folder

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources import remote_file
from geo_lm4ve.blocks.sources.checkpoint import BytesRead
from geo_lm4ve.blocks.weights import load_layers

MEDIUM = TINY | {"hidden_size": 640, "num_attention_heads": 10, "num_key_value_heads": 10, "intermediate_size": 1728}
"""Layers of 10 MB in float16: small beside LLaMA's 405 MB, large enough for 2 per cent to hold headers."""


@functools.cache
def medium(dtype=torch.float32):
    return llama_state(MEDIUM, dtype)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    server = HubServer(tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(remote_file, "FIRST_WAIT", 0.001)
    yield server
    server.close()


def offline(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def kept(tmp_path):
    return sorted((tmp_path / "cache").rglob("*.safetensors"))


@pytest.mark.parametrize("shards", [1, 2, 7])
@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_a_layer_costs_two_per_cent_more_than_its_tensors_at_most(tmp_path, hub, ending, shards):
    state = medium(torch.float16)
    write_folder(hub.root / "org/model", state, MEDIUM, ending, shards)
    meter = BytesRead()
    weights = load_layers("hub:org/model", [1], meter=meter)
    assert same(weights.layers[0], layer_of(state, 1))
    needed = sum(tensor.nbytes for tensor in weights.layers[0].values())
    assert needed > 9_000_000
    assert needed <= hub.total <= 1.02 * needed
    assert meter.downloaded == hub.total


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_every_stored_dtype_arrives_bit_for_bit(hub, ending, dtype):
    state = llama_state(dtype=dtype)
    write_folder(hub.root / "org/model", state, ending=ending, shards=2)
    weights = load_layers("hub:org/model", [0, 1, 2], final_norm=True)
    assert all(same(layer, layer_of(state, index)) for index, layer in enumerate(weights.layers))
    assert same(weights.final_norm, {"weight": state["model.norm.weight"]})


def test_neighbouring_tensors_are_one_request(hub):
    write_folder(hub.root / "org/model", llama_state())
    load_layers("hub:org/model", [1])
    assert [name for name, *_ in hub.requests] == [
        "config.json",
        "model.safetensors.index.json",
        "model.safetensors",  # header
        "model.safetensors",  # the layer
        "model.safetensors",  # the final norm
    ]


def test_a_header_longer_than_the_first_read_is_completed(hub, monkeypatch):
    monkeypatch.setattr(remote_file, "HEAD_BYTES", 100)
    state = llama_state()
    write_folder(hub.root / "org/model", state)
    assert same(load_layers("hub:org/model").layers[0], layer_of(state, 2))


def test_a_file_shorter_than_the_first_read_is_complete(hub):
    config = TINY | {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 4}
    state = llama_state(config)
    write_folder(hub.root / "org/model", state, config)
    assert (hub.root / "org/model/model.safetensors").stat().st_size < remote_file.HEAD_BYTES
    assert same(load_layers("hub:org/model").layers[0], layer_of(state, 2))


def test_the_reference_names_the_commit_and_later_files_are_read_from_it(hub):
    write_folder(hub.root / "org/model", llama_state())
    weights = load_layers("hub:org/model")
    assert weights.reference.source == f"hub:org/model@{COMMIT}"
    assert [revision for _, revision, *_ in hub.requests] == ["main"] + [COMMIT] * (len(hub.requests) - 1)


def test_hub_and_folder_have_the_same_fingerprint(hub):
    folder = write_folder(hub.root / "org/model", llama_state(dtype=torch.bfloat16), shards=3)
    assert load_layers("hub:org/model").reference.sha256 == load_layers(f"dir:{folder}").reference.sha256


def test_a_second_reading_asks_nobody(hub, tmp_path, monkeypatch):
    state = llama_state()
    write_folder(hub.root / "org/model", state)
    first = load_layers("hub:org/model", [1, 2])
    hub.requests.clear()
    offline(monkeypatch)
    again = load_layers("hub:org/model", [-2, -1], final_norm=True)
    assert again.reference == first.reference
    assert same(again.final_norm, {"weight": state["model.norm.weight"]})
    inner = load_layers(f"hub:org/model@{COMMIT}", [1])
    assert same(inner.layers[0], layer_of(state, 1))
    assert inner.reference.layers == (1,)
    assert hub.requests == []
    assert [path.name for path in kept(tmp_path)] == ["layers-1-2-of-3.safetensors"]
    with pytest.raises(BlockError, match=r"has 3 layers: layer 3 is out of range"):
        load_layers("hub:org/model", [3])


def test_the_cache_is_one_safetensors_file_that_says_where_it_is_from(hub, tmp_path):
    write_folder(hub.root / "org/model", llama_state())
    weights = load_layers("hub:org/model")
    (path,) = kept(tmp_path)
    assert path == tmp_path / f"cache/blocks/org--model/{COMMIT}/layers-2-of-3.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["source"] == f"hub:org/model@{COMMIT}"
    assert metadata["sha256"] == weights.reference.sha256
    assert json.loads(metadata["config"]) == TINY
    assert json.loads(metadata["layers"]) == [2]
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_of_many_that_start_together_one_fetches(hub):
    write_folder(hub.root / "org/model", llama_state())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: load_layers("hub:org/model").reference, range(4)))
    assert len(set(found)) == 1
    assert [name for name, *_ in hub.requests].count("config.json") == 1


def test_a_cache_that_cannot_be_written_names_the_variable(hub, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "file"))
    with pytest.raises(BlockError, match=r"cannot keep layers in .*set GEO_LM4VE_CACHE to another folder"):
        load_layers("hub:org/model")


@pytest.mark.parametrize("variable", ["GEO_LM4VE_CACHE", "XDG_CACHE_HOME"])
def test_layers_kept_where_they_used_to_be_are_not_fetched_again(hub, tmp_path, monkeypatch, variable):
    write_folder(hub.root / "org/model", llama_state())
    before = tmp_path / "cache" if variable == "GEO_LM4VE_CACHE" else tmp_path / "home" / ".cache/geo_lm4ve/blocks"
    first = load_layers("hub:org/model", cache_dir=before)
    if variable == "XDG_CACHE_HOME":
        monkeypatch.delenv("GEO_LM4VE_CACHE")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    asked = len(hub.requests)
    assert load_layers("hub:org/model").reference == first.reference
    assert len(hub.requests) == asked
    assert not (tmp_path / "cache" / "blocks").exists()
    assert not (tmp_path / "xdg").exists()


def test_cache_dir_goes_before_the_environment(hub, tmp_path):
    write_folder(hub.root / "org/model", llama_state())
    load_layers("hub:org/model", cache_dir=tmp_path / "other")
    assert kept(tmp_path) == []
    assert len(list((tmp_path / "other").rglob("*.safetensors"))) == 1


@pytest.mark.parametrize("harm", ["flip", "cut", "empty"])
def test_a_damaged_cache_is_named_removed_and_fetched_again(hub, tmp_path, caplog, harm):
    state = llama_state()
    write_folder(hub.root / "org/model", state)
    load_layers("hub:org/model")
    (path,) = kept(tmp_path)
    damage(path, harm)
    hub.requests.clear()
    with caplog.at_level(logging.WARNING):
        assert same(load_layers("hub:org/model").layers[0], layer_of(state, 2))
    assert path.name in caplog.text
    assert "removed from the cache and fetched again" in caplog.text
    assert hub.requests
    hub.requests.clear()
    load_layers("hub:org/model")
    assert hub.requests == []


def damage(path, harm):
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[-1000] ^= 1
    path.write_bytes({"flip": content, "cut": content[: len(content) // 2], "empty": b""}[harm])


def test_a_damaged_cache_without_network_is_an_error(hub, tmp_path, monkeypatch):
    write_folder(hub.root / "org/model", llama_state())
    load_layers("hub:org/model")
    damage(kept(tmp_path)[0], "flip")
    offline(monkeypatch)
    with pytest.raises(BlockError, match="not in the cache and HF_HUB_OFFLINE is set"):
        load_layers("hub:org/model")


def test_offline_and_not_cached_is_an_error_that_says_what_to_do(hub, monkeypatch):
    offline(monkeypatch)
    with pytest.raises(BlockError, match=r"HF_HUB_OFFLINE is set; unset it, or .*tools/extract_block\.py"):
        load_layers("hub:org/model")
    assert hub.requests == []


def test_a_model_in_huggingface_hubs_own_cache_is_not_fetched_again(hub, tmp_path):
    state = llama_state()
    folder = tmp_path / f"hf/models--org--model/snapshots/{COMMIT}"
    write_folder(folder, state, shards=8)
    refs = tmp_path / "hf/models--org--model/refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    weights = load_layers("hub:org/model")
    assert same(weights.layers[0], layer_of(state, 2))
    assert weights.reference.source == f"hub:org/model@{COMMIT}"
    assert hub.requests == []
    write_folder(hub.root / "org/model", state, shards=8)
    next(folder.glob("*00001-of*")).unlink()
    assert same(load_layers("hub:org/model", [0]).layers[0], layer_of(state, 0)), "a shard is gone: ask the hub"
    assert hub.requests


def test_a_broken_download_goes_on_where_it_broke(hub):
    state = medium()
    write_folder(hub.root / "org/model", state, MEDIUM)
    hub.drop_after = [5_000_000, 7_000_000, 1_000_000]
    weights = load_layers("hub:org/model", [1])
    assert same(weights.layers[0], layer_of(state, 1))
    assert hub.drop_after == []
    assert hub.total <= 1.02 * sum(tensor.nbytes for tensor in weights.layers[0].values()), "nothing is fetched twice"


def test_a_broken_config_starts_again(hub):
    write_folder(hub.root / "org/model", llama_state())
    hub.drop_after = [50]
    assert load_layers("hub:org/model").config == TINY


def test_a_busy_server_is_asked_again_but_not_forever(hub):
    write_folder(hub.root / "org/model", llama_state())
    hub.busy = 4
    load_layers("hub:org/model")
    hub.busy = 1000
    with pytest.raises(BlockError, match=r"cannot be fetched .*HTTP 503.* after several tries"):
        load_layers("hub:org/model", [0])
    assert hub.busy == 1000 - 1 - remote_file.RETRIES


def test_an_unreachable_hub_is_an_error_that_names_the_network(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(BlockError, match=r"cannot be fetched .*check the network and HF_ENDPOINT"):
        load_layers("hub:org/model")


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_says_how_to_get_access(hub, status):
    hub.refuse = (status, "GatedRepo")
    with pytest.raises(
        BlockError, match=r"accept its licence on https://huggingface.co/org/model and run `hf auth login`"
    ):
        load_layers("hub:org/model")


def test_the_token_is_sent(hub, monkeypatch):
    write_folder(hub.root / "org/model", llama_state())
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    load_layers("hub:org/model")
    assert {headers["authorization"] for *_, headers in hub.requests} == {"Bearer hf_secret"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hub:org/none", r"hub:org/none@main: the hub has no repository 'org/none' \(HTTP 404\)"),
        ("hub:org/model@v9", r"hub:org/model@v9: the hub has no revision 'v9' \(HTTP 404\)"),
        ("hub:org/empty", r"hub:org/empty@main: no config\.json there"),
        ("hub:org/bare", r"holds none of model\.safetensors, pytorch_model\.bin, model\.safetensors\.index\.json"),
        ("hub:not a repo", r"is not the name of a repository"),
        ("hub:../../etc", r"is not the name of a repository"),
        ("hub:org/model@../x", r"is not the name of a branch, tag or commit"),
        ("hub:org/model@", r"is not the name of a branch, tag or commit"),
    ],
)
def test_what_is_not_there_is_named(hub, source, message):
    write_folder(hub.root / "org/model", llama_state())
    (hub.root / "org/empty").mkdir()
    (hub.root / "org/bare").mkdir()
    (hub.root / "org/bare/config.json").write_text("{}")
    with pytest.raises(BlockError, match=message):
        load_layers(source)


def test_a_server_without_ranges_is_refused_rather_than_downloaded_from(hub):
    write_folder(hub.root / "org/model", medium(), MEDIUM)
    hub.ranged = False
    with pytest.raises(BlockError, match="does not serve byte ranges"):
        load_layers("hub:org/model")
    assert not any(path.suffix == ".safetensors" for path in hub.root.parent.glob("cache/**/*"))


def test_a_shard_that_the_index_promises_and_the_hub_lacks_is_named(hub):
    folder = write_folder(hub.root / "org/model", llama_state(), shards=2)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(BlockError, match=r"lacks model-00002-of-00002\.safetensors, which its index promises"):
        load_layers("hub:org/model")


@pytest.mark.parametrize(("ending", "cut"), [("safetensors", 0.5), ("safetensors", 5), ("bin", 0.5), ("bin", 5)])
def test_a_cut_file_on_the_hub_is_an_error_that_names_it(hub, ending, cut):
    folder = write_folder(hub.root / "org/model", llama_state(), ending=ending)
    path = next(p for p in folder.iterdir() if p.suffix != ".json")
    content = path.read_bytes()
    path.write_bytes(content[: cut if isinstance(cut, int) else int(cut * len(content))])
    with pytest.raises(BlockError, match=path.name):
        load_layers("hub:org/model")


def test_weights_that_are_not_finite_are_not_kept(hub, tmp_path):
    state = llama_state()
    state["model.layers.2.mlp.up_proj.weight"][0, 0] = float("nan")
    write_folder(hub.root / "org/model", state)
    with pytest.raises(BlockError, match=r"mlp\.up_proj\.weight holds NaN"):
        load_layers("hub:org/model")
    assert kept(tmp_path) == []


def test_too_little_space_is_said_before_anything_large_is_fetched(hub, monkeypatch):
    write_folder(hub.root / "org/model", medium(), MEDIUM)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10_000_000})())
    with pytest.raises(BlockError, match=r"has 10 MB free, the layers need 20 MB; .*GEO_LM4VE_CACHE"):
        load_layers("hub:org/model")
    assert hub.total < 100_000


def test_a_large_download_shows_its_progress(hub, monkeypatch, capsys):
    monkeypatch.setattr("geo_lm4ve.blocks.sources.hub.SHOWN_FROM", 1000)
    write_folder(hub.root / "org/model", llama_state())
    load_layers("hub:org/model")
    assert "hub:org/model@main" in capsys.readouterr().err


def packed_again(path, prefix="", without=(), method=zipfile.ZIP_STORED, changed=None):
    """What another zip program makes of a file by torch: the same entries, elsewhere in the file."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if not name.endswith(without)}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(prefix + name, (changed or {}).get(name.partition("/")[2], content))


class TestPickledShards:
    """What a .bin on the hub may and may not hold."""

    def load(self, hub, content, **options):
        folder = write_folder(hub.root / "org/model", llama_state(), ending="bin")
        torch.save(content, folder / "pytorch_model.bin", **options)
        return load_layers("hub:org/model")

    def test_parameters_views_and_the_metadata_of_a_state_dict_are_understood(self, hub):
        module = torch.nn.Module()
        module.model = torch.nn.Module()
        state = llama_state()
        shared = torch.cat([tensor.flatten() for tensor in layer_of(state, 2).values()])
        content, at = module.state_dict(), 0
        for key, tensor in layer_of(state, 2).items():
            content[f"model.layers.2.{key}"] = shared[at : at + tensor.numel()].view(tensor.shape)
            at += tensor.numel()
        content["model.norm.weight"] = torch.nn.Parameter(state["model.norm.weight"])
        assert content._metadata
        weights = self.load(hub, content)
        assert same(weights.layers[0], layer_of(state, 2))

    @pytest.mark.parametrize("prefix", ["", "outer/", "a/b/"])
    def test_a_file_that_another_program_packed_again_is_read_where_its_bytes_are(self, hub, prefix):
        state = llama_state()
        folder = write_folder(hub.root / "org/model", state, ending="bin")
        packed_again(folder / "pytorch_model.bin", prefix)
        assert same(load_layers("hub:org/model", [1]).layers[0], layer_of(state, 1))

    def test_a_file_of_an_older_torch_costs_no_request_per_tensor(self, hub):
        state = llama_state()
        folder = write_folder(hub.root / "org/model", state, ending="bin")
        packed_again(folder / "pytorch_model.bin", without=(".format_version", ".storage_alignment", "byteorder"))
        assert same(load_layers("hub:org/model", [1]).layers[0], layer_of(state, 1))
        assert [name for name, *_ in hub.requests].count("pytorch_model.bin") < 12 < len(state)

    def test_compressed_entries_are_refused(self, hub):
        folder = write_folder(hub.root / "org/model", llama_state(), ending="bin")
        packed_again(folder / "pytorch_model.bin", method=zipfile.ZIP_DEFLATED)
        with pytest.raises(BlockError, match="is compressed, which"):
            load_layers("hub:org/model")

    def test_a_big_endian_file_is_refused(self, hub):
        folder = write_folder(hub.root / "org/model", llama_state(), ending="bin")
        packed_again(folder / "pytorch_model.bin", changed={"byteorder": b"big"})
        with pytest.raises(BlockError, match="was written on a big-endian machine; convert it to safetensors there"):
            load_layers("hub:org/model")

    def test_code_is_not_run(self, hub, capsys):
        with pytest.raises(BlockError, match=r"it asks for _*builtins?_*\.print, which no dict of tensors needs"):
            self.load(hub, llama_state() | {"x": _Runs()})
        assert capsys.readouterr().out == ""

    def test_strided_tensors_are_refused(self, hub):
        state = llama_state()
        state["model.layers.2.mlp.up_proj.weight"] = torch.randn(64, 96).t()
        with pytest.raises(BlockError, match="is stored with strides"):
            self.load(hub, state)

    def test_anything_but_a_dict_is_refused(self, hub):
        with pytest.raises(BlockError, match="holds a list, not a dict of tensors"):
            self.load(hub, [torch.ones(1)])

    def test_files_older_than_torch_1_6_say_how_large_they_are(self, hub):
        with pytest.raises(BlockError, match=r"written before torch 1\.6, or cut short.*0\.0 GB\) and use dir:"):
            self.load(hub, llama_state(), _use_new_zipfile_serialization=False)

    def test_a_zip_of_someone_elses_is_refused(self, hub):
        folder = write_folder(hub.root / "org/model", llama_state(), ending="bin")
        with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
            archive.writestr("a.txt", "x")
        with pytest.raises(BlockError, match=r"has 0 entries data\.pkl"):
            load_layers("hub:org/model")


class _Runs:
    def __reduce__(self):
        return (print, ("this must never be printed",))
