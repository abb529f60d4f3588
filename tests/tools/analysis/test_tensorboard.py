import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import VISUALIZERS, DefaultScope

import famkd.registry  # noqa: F401 (lets a config inherit from 'famkd::...')

ROOT = Path(__file__).parents[3]


def test_the_documented_line(tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    text = (ROOT / 'docs/analysis.md').read_text()
    (code,) = re.findall(r'## TensorBoard.*?```python\n(.*?)```', text, re.DOTALL)
    config = Config.fromstring(code, '.py')
    with DefaultScope.overwrite_default_scope(config.default_scope):
        visualizer = VISUALIZERS.build(
            dict(config.visualizer, name=str(tmp_path), save_dir=str(tmp_path))
        )
    visualizer.add_scalars({'gamma1_stage1': 0.75}, step=3)
    visualizer.close()
    assert '0.75' in (tmp_path / 'vis_data/scalars.json').read_text()
    events = EventAccumulator(str(tmp_path / 'vis_data'))
    events.Reload()
    (event,) = events.Scalars('gamma1_stage1')
    assert (event.step, event.value) == (3, 0.75)
