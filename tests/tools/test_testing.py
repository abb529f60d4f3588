"""Options of test.py: predictions drawn, and averaged over flips."""

import pytest


@pytest.fixture
def test(tool, tiny_configs, tiny_runs, tmp_path):
    """Function (*options): the metrics of the tiny student."""

    def test(*options):
        words = [tiny_configs['student'], tiny_runs['famkd'] / 'epoch_2.pth']
        words += ['--work-dir', tmp_path / 'out', *options]
        return tool('test').main([str(word) for word in words])

    return test


def test_pictures_of_every_image(test, tmp_path):
    test('--show-dir', tmp_path / 'shown')
    assert len(list((tmp_path / 'shown').rglob('*.png'))) == 30


def test_flips_are_averaged(test, monkeypatch):
    from mmpretrain.models import AverageClsScoreTTA

    merge, views = AverageClsScoreTTA.merge_preds, []

    def counted(self, data_samples_list):
        views.extend(map(len, data_samples_list))
        return merge(self, data_samples_list)

    monkeypatch.setattr(AverageClsScoreTTA, 'merge_preds', counted)
    assert test('--tta').keys() == {'accuracy/top1'}
    assert views == [2] * 30  # each image and its mirror image
