# First guess: all weights; nobody has published any. The four maps that the transformer
# gets; images and the schedule of 12 epochs are mmdet's of DINO.
_base_ = [
    'mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py',
    '../../_base_/teachers/dino_r50.py',
]

custom_imports = dict(
    imports=['famkd.models', 'famkd.engine', 'famkd.datasets'],
    allow_failed_imports=False,
)
model = dict(
    _delete_=True,
    type='mmrazor.FeatureDistill',
    **_base_.teacher,
    architecture=dict(cfg_path='famkd::vanilla/coco/dino-4scale_r18_8xb2-12e_coco.py'),
    input_shape=(3, 256, 256),
    distiller=dict(
        type='FreeKDDistiller',
        stages=[dict(source='neck', data_idx=i) for i in range(4)],
        prompts='work_dirs/freekd-prompts_dino-4scale_r50_8xb2-2k_coco/iter_2000.pth',
        mse_weight=5.0,
    ),
)
