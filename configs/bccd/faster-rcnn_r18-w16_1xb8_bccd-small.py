# The student of the small version, alone.
_base_ = ['../_base_/models/faster-rcnn_small.py', '../_base_/bccd_small.py']
