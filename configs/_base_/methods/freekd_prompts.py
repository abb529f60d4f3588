# FreeKD, stage 1: prompts of a frozen teacher's maps, tuned with its own loss.
# https://arxiv.org/abs/2311.12079
model = dict(
    type='mmrazor.PromptTuning',
    source='neck',
    num_prompts=2,
    levels=3,
    overlap='jaccard',
    overlap_weight=1.0,
)
