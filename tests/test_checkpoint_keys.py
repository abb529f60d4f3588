from famkd.checkpoint_keys import read_weights, student_weights

DISTILLED = {'architecture.fc.weight': 1, 'teacher.fc.weight': 2, 'distiller.x': 3}


def test_student_of_a_distillation():
    assert student_weights(DISTILLED) == {'fc.weight': 1}
    assert student_weights({'fc.weight': 1}) == {}


def test_weights_of_any_checkpoint():
    parallel = {f'module.{key}': value for key, value in DISTILLED.items()}
    assert read_weights({'state_dict': parallel, 'meta': {}}) == DISTILLED
    assert read_weights(DISTILLED) == DISTILLED
