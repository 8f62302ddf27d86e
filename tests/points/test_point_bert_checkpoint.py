"""What a Point-BERT's tensors tell about its config."""

from geo_lm4ve.create import create_model
from geo_lm4ve.points.checkpoints.point_bert import describe
from geo_lm4ve.pretrained.architecture import advice


def test_published_models():
    bert = describe(create_model("point_bert", num_classes=15).state_dict())
    assert bert == {
        "encoder.dim": 384,
        "encoder.depth": 12,
        "encoder.pointnet_width": 128,
        "encoder.encoder_dim": 256,
        "encoder.mlp_ratio": 4.0,
        "head.hidden": (256,),
        "head.norm": "none",
        "outputs": 15,
    }
    mae = describe(create_model("point_mae", num_classes=40, depth=2).state_dict())
    assert mae == {
        **bert,
        "encoder.depth": 2,
        "encoder.encoder_dim": 384,
        "head.hidden": (256, 256),
        "head.norm": "batch",
        "outputs": 40,
    }
    assert advice(mae, bert).endswith(
        "(encoder.depth=2, encoder.encoder_dim=384, head.hidden=[256,256], head.norm=batch). "
    )


def test_a_pre_trained_file_tells_nothing_of_a_classifier():
    state = create_model("point_bert_tiny", num_classes=15).state_dict()
    encoder = describe({key: value for key, value in state.items() if not key.startswith("head.")})
    assert (encoder["head.hidden"], encoder["head.norm"], encoder["outputs"]) == ((), None, None)
    assert encoder["encoder.dim"] == 96
