# BCCD blood cells: an example of a data set of one's own in COCO format.
# data/bccd_coco/images/*.jpg, data/bccd_coco/annotations/{train,val,test}.json
_base_ = './coco_detection_bs8.py'

data_root = 'data/bccd_coco/'
# In the order of the categories in the annotation files.
metainfo = dict(classes=('RBC', 'WBC', 'Platelets'))

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/'),
        metainfo=metainfo,
    ),
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/'),
        metainfo=metainfo,
    ),
)
test_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/test.json',
        data_prefix=dict(img='images/'),
        metainfo=metainfo,
    ),
)
val_evaluator = dict(ann_file=data_root + 'annotations/val.json', classwise=True)
test_evaluator = dict(ann_file=data_root + 'annotations/test.json', classwise=True)
