# The five outputs of an FPN, fine to coarse.
stages = dict(
    student_stages=[dict(source='neck', data_idx=i) for i in range(5)],
    teacher_stages=[dict(source='neck', data_idx=i) for i in range(5)],
)
