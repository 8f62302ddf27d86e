"""What a state dict tells about its model."""

from geo_lm4ve.model import create_model
from geo_lm4ve.pretrained import Architecture, infer_architecture


def test_published_models():
    bert = infer_architecture(create_model("point_bert", num_classes=15).state_dict())
    assert bert == Architecture(
        dim=384, depth=12, pointnet_width=128, encoder_dim=256, hidden=(256,), outputs=15, block_dim=None
    )
    mae = infer_architecture(create_model("point_mae", num_classes=40, depth=2).state_dict())
    assert mae == Architecture(
        dim=384, depth=2, pointnet_width=128, encoder_dim=384, hidden=(256, 256), outputs=40, block_dim=None
    )
    assert bert.differences(bert) == {}
    assert mae.differences(bert) == {
        "depth": (2, 12),
        "encoder_dim": (384, 256),
        "hidden": ((256, 256), (256,)),
        "outputs": (40, 15),
    }


def test_what_is_not_there_is_not_a_difference():
    empty = infer_architecture({})
    assert empty.differences(infer_architecture(create_model("point_bert_tiny").state_dict())) == {}
