"""Official state dicts, written out from the published key tables and not from the tables under test."""

import pytest
import torch


def norm(key, width):
    return {f"{key}.weight": (width,), f"{key}.bias": (width,)}


def batch_norm(key, width):
    return norm(key, width) | {
        f"{key}.running_mean": (width,),
        f"{key}.running_var": (width,),
        f"{key}.num_batches_tracked": (),
    }


def linear(key, inputs, outputs, *trailing):
    return {f"{key}.weight": (outputs, inputs, *trailing), f"{key}.bias": (outputs,)}


def backbone(dim, depth, encoder_dim, tokens=True):
    shapes = {"cls_token": (1, 1, dim), "cls_pos": (1, 1, dim)} if tokens else {}
    shapes |= linear("encoder.first_conv.0", 3, 128, 1) | batch_norm("encoder.first_conv.1", 128)
    shapes |= linear("encoder.first_conv.3", 128, 256, 1)
    shapes |= linear("encoder.second_conv.0", 512, 512, 1) | batch_norm("encoder.second_conv.1", 512)
    shapes |= linear("encoder.second_conv.3", 512, encoder_dim, 1)
    if encoder_dim != dim:
        shapes |= linear("reduce_dim", encoder_dim, dim)
    shapes |= linear("pos_embed.0", 3, 128) | linear("pos_embed.2", 128, dim)
    return shapes | transformer_blocks("blocks.blocks", dim, depth) | norm("norm", dim)


def transformer_blocks(prefix, dim, depth):
    shapes = {}
    for block in (f"{prefix}.{i}" for i in range(depth)):
        shapes |= norm(f"{block}.norm1", dim) | norm(f"{block}.norm2", dim)
        shapes |= linear(f"{block}.mlp.fc1", dim, 4 * dim) | linear(f"{block}.mlp.fc2", 4 * dim, dim)
        shapes |= {f"{block}.attn.qkv.weight": (3 * dim, dim)} | linear(f"{block}.attn.proj", dim, dim)
    return shapes


def point_bert_head(dim, classes):
    return linear("cls_head_finetune.0", 2 * dim, 256) | linear("cls_head_finetune.3", 256, classes)


def point_mae_head(dim, classes):
    hidden = linear("cls_head_finetune.0", 2 * dim, 256) | batch_norm("cls_head_finetune.1", 256)
    hidden |= linear("cls_head_finetune.4", 256, 256) | batch_norm("cls_head_finetune.5", 256)
    return hidden | linear("cls_head_finetune.8", 256, classes)


def draw(shapes):
    """A state dict of these shapes; batch norm variances are positive, counters integer."""
    state = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(3)
        else:
            state[key] = torch.rand(shape) + 0.5 if key.endswith("running_var") else 0.1 * torch.randn(shape)
    return state


class Official:
    """Builders of official state dicts; the defaults are the small model that ``small`` builds."""

    def fine_tuned(self, classes=5, dim=24, depth=2, encoder_dim=16):
        return draw(backbone(dim, depth, encoder_dim) | point_bert_head(dim, classes))

    def point_mae(self, classes=5, dim=24, depth=2):
        return draw(backbone(dim, depth, dim) | point_mae_head(dim, classes))

    def llama_layer(self, width=256, hidden=48):
        shapes = {f"attention.w{name}.weight": (width, width) for name in "qkvo"}
        shapes |= {f"feed_forward.w{i}.weight": (hidden, width) for i in (1, 3)}
        shapes |= {"feed_forward.w2.weight": (width, hidden)}
        return draw(shapes | {f"{name}_norm.weight": (width,) for name in ("attention", "ffn")})

    def with_llama(self, classes=5, dim=24, depth=2, encoder_dim=16, width=256):
        mappers = {"llama_dim_mapper1.weight": (width, dim), "llama_dim_mapper2.weight": (dim, width)}
        llama = {f"llama.layers.0.{key}": value for key, value in self.llama_layer(width).items()}
        state = self.fine_tuned(classes, dim, depth, encoder_dim) | draw(mappers) | llama
        return state | {"llama.norm.weight": torch.ones(width)}

    def pretrained(self, dim=24, depth=2, encoder_dim=16):
        network = backbone(dim, depth, encoder_dim)
        network |= {"mask_token": (1, 1, dim)} | linear("lm_head", dim, 40)
        network |= linear("cls_head.0", dim, 12) | linear("cls_head.2", 12, 12)
        both = {f"transformer_{copy}.{key}": shape for copy in "qk" for key, shape in network.items()}
        tokenizer = {f"dvae.{key}": shape for key, shape in linear("codebook", 4, 6).items()}
        return draw(both | tokenizer | {"queue": (12, 9)}) | {"queue_ptr": torch.zeros(1, dtype=torch.long)}

    def mae_pretrained(self, dim=24, depth=2, decoder_depth=2):
        state = {f"MAE_encoder.{key}": shape for key, shape in backbone(dim, depth, dim, tokens=False).items()}
        blocks = transformer_blocks("blocks", dim, decoder_depth)
        state |= {f"MAE_decoder.{key}": shape for key, shape in (norm("norm", dim) | blocks).items()}
        state |= linear("decoder_pos_embed.0", 3, 128) | linear("decoder_pos_embed.2", 128, dim)
        state |= linear("increase_dim.0", dim, 96, 1)
        return draw(state | {"mask_token": (1, 1, dim)})


@pytest.fixture
def official():
    torch.manual_seed(0)
    return Official()
