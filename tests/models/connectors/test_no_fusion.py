import pytest
import torch

from famkd.models.connectors import NoFusion


def test_gives_the_feature_and_leaves_the_review():
    fusion = NoFusion(in_channels=3, review_channels=8, mid_channels=3)
    feature = torch.randn(2, 3, 5, 5)
    assert fusion(feature, torch.randn(2, 8, 2, 2)) is feature
    assert not list(fusion.parameters())


def test_other_mid_channels():
    with pytest.raises(ValueError, match='mid_channels=4 must equal in_channels=3'):
        NoFusion(in_channels=3, mid_channels=4)
