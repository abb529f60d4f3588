"""Recipes of FourierKD: one takes steps, with thin detectors; all have known pairs."""

from pathlib import Path

import pytest

pytest.importorskip('mmdet')

from test_freekd_configs import two_steps  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPES = [path.name for path in sorted((CONFIGS / 'fourier_kd/coco').glob('*.py'))]


def test_it_trains(load, build):
    config = load('fourier_kd/coco/fourier-kd_retinanet_r101_r50_fpn_8xb2-2x_coco.py')
    model, log = two_steps(config, build)
    assert all(log[f'distill.loss_stage{i}'] > 0 for i in range(1, 6))
    assert all(p.grad.any() for p in model.student.neck.parameters())


@pytest.mark.parametrize('name', RECIPES)
def test_recipe_has_the_pair_and_schedule_of_freekd(name, load):
    ours = load(f'fourier_kd/coco/{name}')
    theirs = load(f'freekd/coco/{name.replace("fourier-kd", "freekd")}')
    for key in ('architecture', 'teacher', 'teacher_ckpt'):
        assert ours.model[key] == theirs.model[key]
    for key in ('train_dataloader', 'param_scheduler', 'train_cfg', 'auto_scale_lr'):
        assert ours[key] == theirs[key]
    distiller = ours.model.distiller
    assert distiller.student_stages == theirs.model.distiller.student_stages
    assert distiller.stage_loss.loss_weight == 7
    # The published ones.
    rate = 0.02 if 'faster-rcnn' in name else 0.01
    assert ours.optim_wrapper.optimizer.lr == rate
