"""Small text encoders with random weights as transformers' folders, and a small file of word vectors."""

from __future__ import annotations

from pathlib import Path

import torch

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "what", "is", "left", "of", "the", "desk", "?", "round", "a", "chair")
SIZES = {"vocab_size": 20, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
GLOVE = {"unk": (0.5, -0.5, 0.25), "what": (1, 2, 3), "is": (0, 0, 1), "desk": (-1, 0, 2), "?": (3, 3, 3)}
"""Words and their vectors, which have no rounding."""


def write_glove(path: Path) -> Path:
    """The words of ``GLOVE`` in GloVe's format."""
    path.write_text("".join(f"{word} {' '.join(map(str, numbers))}\n" for word, numbers in GLOVE.items()))
    return path


def network(kind: str) -> torch.nn.Module:
    """A model of transformers with random weights that do not depend on what was drawn before."""
    import transformers as hf

    positions = {"max_position_embeddings": 40, "pad_token_id": 0}
    made = {
        "bert": lambda: hf.BertModel(hf.BertConfig(**SIZES, **positions)),
        "roberta": lambda: hf.RobertaForMaskedLM(hf.RobertaConfig(**SIZES, **positions)),
        "mpnet": lambda: hf.MPNetModel(hf.MPNetConfig(**SIZES, **positions)),
        "deberta": lambda: hf.DebertaV2Model(hf.DebertaV2Config(**SIZES, **positions)),
        "t5": lambda: hf.T5ForConditionalGeneration(
            hf.T5Config(vocab_size=20, d_model=8, d_kv=4, d_ff=12, num_layers=2, num_heads=2, decoder_start_token_id=0)
        ),
        "bart": lambda: hf.BartModel(
            hf.BartConfig(
                vocab_size=20, d_model=8, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=12, decoder_ffn_dim=12,
                encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=40, pad_token_id=0,
                bos_token_id=2, eos_token_id=3,
            )
        ),
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return made[kind]()


def write_model(folder: Path, kind: str = "bert", **special: str) -> Path:
    """A folder with such a model and a tokeniser of ``PIECES``; ``special`` changes its special tokens."""
    network(kind).save_pretrained(folder)
    return write_tokenizer(folder, **special)


def write_tokenizer(folder: Path, **special: str | None) -> Path:
    """A tokeniser that lower-cases, splits at blanks and marks, and puts [CLS] and [SEP] round a text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({piece: row for row, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokens = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", **special}
    given = {name: token for name, token in tokens.items() if token is not None}
    PreTrainedTokenizerFast(tokenizer_object=made, **given).save_pretrained(folder)
    return folder
