# A ViT-B and the stages of a ResNet. The tokens are taken behind a norm, where their
# channels are of one size: behind the first norm of a block, that is of the block
# before it, and behind the last of all.
stages = dict(
    student_stages=[
        'backbone.layer1',
        'backbone.layer2',
        'backbone.layer3',
        'backbone.layer4',
    ],
    teacher_stages=[
        'backbone.layers.3.ln1',
        'backbone.layers.6.ln1',
        'backbone.layers.9.ln1',
        'backbone.ln1',
    ],
)
# The last blocks alone, for losses that compare place by place.
last_stages = dict(
    student_stages=['backbone.layer3', 'backbone.layer4'],
    teacher_stages=['backbone.layers.11.ln1', 'backbone.ln1'],
)
