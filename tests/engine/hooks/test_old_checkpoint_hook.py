"""A checkpoint with the teacher inside, as famkd 0.1 wrote it, is gone on from."""

import pytest
import torch


@pytest.mark.parametrize(
    'paramwise', [None, dict(norm_decay_mult=0.0)], ids=['one_group', 'groups']
)
def test_resume_from_a_checkpoint_with_the_teacher(paramwise, make_runner, tmp_path):
    wrapper = {'optim_wrapper.optimizer.weight_decay': 0.1}
    if paramwise:
        wrapper['optim_wrapper.paramwise_cfg'] = paramwise
    hook = {'custom_hooks': [dict(type='OldCheckpointHook')]}
    first = make_runner(**{'train_cfg.max_epochs': 1}, **wrapper)
    first.train()
    path = tmp_path / 'epoch_1.pth'
    checkpoint = torch.load(path, weights_only=False)

    # What famkd 0.1 had in it beyond today's.
    unfolded = {'model.teacher_options': dict(fuse_bn=False)}
    teacher = make_runner(**unfolded).model.teacher
    weights = checkpoint['state_dict']
    del weights['_extra_state']
    weights.update({f'teacher.{k}': x for k, x in teacher.state_dict().items()})
    groups = checkpoint['optimizer']['param_groups']
    count = sum(len(group['params']) for group in groups)
    numbers = range(count, count + len(list(teacher.parameters())))
    if paramwise:
        groups += [{**groups[0], 'params': [i]} for i in numbers]
    else:
        groups[0]['params'] += numbers
    torch.save(checkpoint, path)

    second = make_runner(resume=True, load_from=str(path), **hook, **wrapper)
    second.train()
    assert second.iter == 6
