"""Data that do not fit the model are named at the first batch."""

import pytest

from famkd.engine.hooks import FirstBatchHook


def test_a_training_that_fits_is_let_alone(make_runner):
    runner = make_runner(FirstBatchHook(), train_cfg=dict(max_epochs=1))
    runner.train()
    assert runner.iter == 3


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(dataset=dict(num_classes=9)), r'a label .* is \d, but .* num_classes=4'),
        (
            dict(dataset=dict(length=9)),
            'gives a batch of one image, but .*drop_last=Tr',
        ),
        (dict(batch_size=1), 'gives a batch of one image'),
        (
            dict(batch_size=32, drop_last=True),
            'train_dataloader gives no batch: its data set has 12 .*batch_size=32',
        ),
    ],
)
def test_what_does_not_fit_is_named(changes, message, make_runner):
    runner = make_runner(FirstBatchHook(), train_dataloader=changes)
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0
