"""Small language models at rest, in every format that layers are read from, and a hub to serve them."""

import http.server
import json
import re
import threading
from collections import Counter
from pathlib import Path

import torch
from safetensors.torch import save_file

TINY = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "rms_norm_eps": 1e-5,
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def layer_shapes(config):
    hidden, heads, ffn = config["hidden_size"], config["num_attention_heads"], config["intermediate_size"]
    head = config.get("head_dim", hidden // heads)
    grouped = config["num_key_value_heads"] * head
    return {
        "input_layernorm.weight": (hidden,),
        "post_attention_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (heads * head, hidden),
        "self_attn.k_proj.weight": (grouped, hidden),
        "self_attn.v_proj.weight": (grouped, hidden),
        "self_attn.o_proj.weight": (hidden, heads * head),
        "mlp.gate_proj.weight": (ffn, hidden),
        "mlp.up_proj.weight": (ffn, hidden),
        "mlp.down_proj.weight": (hidden, ffn),
    }


def llama_state(config=TINY, dtype=torch.float32, seed=0):
    """A whole model: embeddings, layers, final norm, in transformers' names."""
    generator = torch.Generator().manual_seed(seed)
    state = {"model.embed_tokens.weight": (50, config["hidden_size"]), "model.norm.weight": (config["hidden_size"],)}
    for index in range(config["num_hidden_layers"]):
        state |= {f"model.layers.{index}.{key}": shape for key, shape in layer_shapes(config).items()}
    return {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in state.items()}


def layer_of(state, index, prefix="model.layers"):
    start = f"{prefix}.{index}."
    return {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}


def same(one, other):
    """Same keys, dtypes and bits."""
    return one.keys() == other.keys() and all(
        one[key].dtype == other[key].dtype and torch.equal(one[key], other[key]) for key in one
    )


def write_folder(folder, state, config=TINY, ending="safetensors", shards=1):
    """A transformers folder; with several shards, tensors are dealt out in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    stem = {"safetensors": "model", "bin": "pytorch_model"}[ending]
    save = save_file if ending == "safetensors" else torch.save
    if shards == 1:
        save(state, folder / f"{stem}.{ending}")
        return folder
    names, weight_map = list(state), {}
    size = -(-len(names) // shards)
    for number in range(shards):
        file = f"{stem}-{number + 1:05d}-of-{shards:05d}.{ending}"
        inside = names[number * size : (number + 1) * size]
        save({name: state[name] for name in inside}, folder / file)
        weight_map |= dict.fromkeys(inside, file)
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder


class HubServer:
    """A hub on the loopback interface: serves ``root/OWNER/NAME/*`` by range, counts, and misbehaves on request.

    sent: bytes of content per file; ranges: number of requests; refuse: status for everything; drop_after: bytes
    after which the next answers break off; busy: number of 503 answers to give first; ranged: whether it cuts files.
    """

    def __init__(self, root: Path):
        self.root, self.sent, self.requests = root, Counter(), []
        self.refuse, self.drop_after, self.busy, self.ranged = None, [], 0, True
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self)

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *args: None  # a client that hangs up is part of the tests
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def total(self):
        return sum(self.sent.values())

    def answer(self, request):
        repo, revision, name = re.match(r"^/(.+)/resolve/([^/]+)/(.+)$", request.path).groups()
        self.requests.append((name, revision, request.headers.get("Range"), dict(request.headers)))
        if self.refuse:
            return self._refuse(request, *self.refuse)
        if self.busy:
            self.busy -= 1
            return self._refuse(request, 503, "")
        if not (self.root / repo).is_dir():
            return self._refuse(request, 404, "RepoNotFound")
        if revision not in ("main", COMMIT):
            return self._refuse(request, 404, "RevisionNotFound")
        if not (self.root / repo / name).is_file():
            return self._refuse(request, 404, "EntryNotFound")
        return self._content(request, name, (self.root / repo / name).read_bytes())

    def _refuse(self, request, status, code):
        request.send_response(status)
        if code:
            request.send_header("X-Error-Code", code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _content(self, request, name, content):
        wanted = re.match(r"bytes=(\d+)-(\d+)", request.headers.get("Range") or "")
        start, stop = (int(wanted[1]), min(int(wanted[2]) + 1, len(content))) if wanted and self.ranged else (0, None)
        part = content[start:stop]
        request.send_response(206 if stop is not None else 200)
        request.send_header("Content-Length", str(len(part)))
        request.send_header("X-Repo-Commit", COMMIT)
        if stop is not None:
            request.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        request.end_headers()
        if self.drop_after and len(part) > self.drop_after[0]:
            part = part[: self.drop_after.pop(0)]
        request.wfile.write(part)
        self.sent[name] += len(part)
