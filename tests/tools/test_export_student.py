import json
import sys

import pytest
import torch


@pytest.fixture
def export(tool):
    return tool('export_student')


@pytest.fixture(scope='module')
def checkpoint(tiny_runs):
    return str(tiny_runs['famkd'] / 'epoch_2.pth')


@pytest.fixture(scope='module')
def config(tiny_configs):
    """The config, which the checkpoint holds, but not the file of its student."""
    return str(tiny_configs['famkd'])


@pytest.fixture(scope='module')
def pixels():
    return torch.randint(256, (5, 3, 32, 32)).float()


@pytest.fixture(scope='module')
def expected(checkpoint, config, pixels):
    """Probabilities by the student's own data preprocessor, without export."""
    from famkd.apis.checkpoints import load_network

    network, _, _ = load_network(checkpoint, config)
    data = network.data_preprocessor(dict(inputs=pixels))
    with torch.no_grad():
        return network(data['inputs'], mode='tensor').softmax(1)


def test_onnx_gives_the_students_probabilities(
    export, checkpoint, config, pixels, expected, tmp_path
):
    onnxruntime = pytest.importorskip('onnxruntime')
    out = tmp_path / 'student.onnx'
    export.main([checkpoint, str(out), '--config', config])
    assert list(tmp_path.iterdir()) == [out]
    session = onnxruntime.InferenceSession(out)
    for batch in (1, 5):
        found = session.run(None, {'pixels': pixels[:batch].numpy()})[0]
        torch.testing.assert_close(torch.from_numpy(found), expected[:batch])
    meta = session.get_modelmeta().custom_metadata_map
    assert len(json.loads(meta['classes'])) == 10


def test_a_program_gives_the_students_probabilities(
    export, checkpoint, config, pixels, expected, tmp_path
):
    out = tmp_path / 'student.pt2'
    export.main([checkpoint, str(out), '--config', config])
    files = {'famkd.json': ''}
    program = torch.export.load(out, extra_files=files).module()
    torch.testing.assert_close(program(pixels), expected)
    assert json.loads(files['famkd.json'])['size'] == [32, 32]


def test_safetensors_are_the_students_weights(export, checkpoint, config, tmp_path):
    from safetensors.torch import load_file

    out = tmp_path / 'new' / 'student.safetensors'
    export.main([checkpoint, str(out), '--config', config])
    found = load_file(out)
    whole = torch.load(checkpoint, weights_only=False)['state_dict']
    assert found
    for name, value in found.items():
        assert torch.equal(value, whole[f'architecture.{name}'])


@pytest.mark.parametrize(
    'argv, message',
    [
        (['student.pth'], r'ends in none of \.onnx, \.pt2'),
        (['a.onnx', '--size', '1', '2', '3'], r'--size: \[1, 2, 3\] is not a height'),
        (['a.onnx', '--size', '0'], r'--size: \[0\] is not a height'),
    ],
)
def test_wrong_arguments(export, checkpoint, argv, message, capsys):
    with pytest.raises(SystemExit):
        export.main([checkpoint, *argv])
    import re

    assert re.search(message, capsys.readouterr().err)


def test_the_checkpoint_must_be_there_and_finite(export, checkpoint, tmp_path):
    with pytest.raises(SystemExit, match=r'gone\.pth: no such checkpoint'):
        export.main([str(tmp_path / 'gone.pth'), str(tmp_path / 'a.onnx')])
    whole = torch.load(checkpoint, weights_only=False)
    whole['state_dict']['architecture.head.fc.bias'][0] = float('nan')
    broken = tmp_path / 'broken.pth'
    torch.save(whole, broken)
    with pytest.raises(SystemExit, match=r'head\.fc\.bias is not finite'):
        export.main(
            [str(broken), str(tmp_path / 'a.safetensors'), '--trust-checkpoint']
        )
    assert list(tmp_path.iterdir()) == [broken]


def test_says_what_to_install(export, checkpoint, config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(SystemExit, match=r'onnx is missing: pip install'):
        export.main([checkpoint, str(tmp_path / 'a.onnx'), '--config', config])
    assert not list(tmp_path.iterdir())


def test_a_network_alone_needs_a_size(export, tiny_runs, tmp_path, capsys):
    teacher = str(tiny_runs['teacher'] / 'epoch_2.pth')
    with pytest.raises(SystemExit):
        export.main([teacher, str(tmp_path / 'a.onnx')])
    assert '--size: the config has no model.input_shape' in capsys.readouterr().err
    export.main([teacher, str(tmp_path / 'a.safetensors')])
