"""What the entries of a COCO annotation file must be."""

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any


def coco_fault(content: dict) -> str | None:
    """The first thing that is wrong in an annotation file, and the fix.

    Boxes of no width or height may be there, as in COCO itself: mmdet leaves them out.

    Args:
        content: What the file holds.
    """
    return next(_faults(content), None)


def _faults(content: dict) -> Iterator[str]:
    # without annotations it has no boxes, which is said elsewhere
    for name in ('images', 'categories', 'annotations'):
        entries = content.get(name, [] if name == 'annotations' else None)
        if not isinstance(entries, list):
            yield f'has no list {name!r}; give a file in the format of COCO'
            return
        ids = set()
        for i, entry in enumerate(entries):
            own = entry.get('id') if isinstance(entry, dict) else None
            if not isinstance(own, (int, str)):
                yield f'has no id in {name}[{i}], {_short(entry)}; add one, a number'
                return
            if own in ids:
                yield f'has the id {own!r} twice in {name}; number them anew'
            ids.add(own)
    if not content['images']:
        yield "has no images ('images' is empty); give a file with images"
    images = {image['id'] for image in content['images']}
    categories = {category['id'] for category in content['categories']}
    for image in content['images']:
        if problem := _image(image):
            yield f'has the image {image["id"]!r} with {problem}'
    for category in content['categories']:
        if not isinstance(category.get('name'), str):
            yield f'has no name of the category {category["id"]!r}; add it'
    for box in content.get('annotations', []):
        if problem := _box(box, images, categories):
            yield f'has the annotation {box["id"]!r} with {problem}'


def _image(image: dict) -> str | None:
    name = image.get('file_name')
    if not isinstance(name, str) or not name:
        return f'file_name={name!r}; name its file'
    for key in ('width', 'height'):
        value = image.get(key)
        if not _is_number(value) or value <= 0:
            return f'{key}={_short(value)}; give its size in pixels'
    return None


def _box(box: dict, images: set, categories: set) -> str | None:
    for key, known in (('image_id', images), ('category_id', categories)):
        value = box.get(key)
        if not isinstance(value, (int, str)) or value not in known:
            entries = 'images' if known is images else 'categories'
            return f'{key}={_short(value)}, which is none of {entries}; correct it'
    bbox = box.get('bbox')
    if (
        not isinstance(bbox, list)
        or len(bbox) != 4
        or not all(map(_is_number, bbox))
        or min(bbox[2:]) < 0
    ):
        return (
            f'bbox={_short(bbox)}; it must be [x, y, width, height], four finite '
            'numbers, the last two not negative'
        )
    if not _is_number(box.get('area')):
        return f'area={_short(box.get("area"))}; give a number of pixels'
    if box.get('iscrowd', 0) not in (0, 1):
        return f'iscrowd={_short(box["iscrowd"])}; it must be 0 or 1'
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f'{text[:57]}...'
