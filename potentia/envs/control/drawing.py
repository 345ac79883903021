"""Drawing into pictures from compiled code: discs, segments and boxes in a world's own coordinates.

A ``view`` is (left, top, right, bottom): what a picture shows. A world whose y grows upwards has a top that is larger
than its bottom. A ``colour`` is three numbers from 0 to 255. A pixel is painted if its centre lies inside; what is
thinner than a pixel is painted one pixel wide.
"""

from __future__ import annotations

import math

from potentia.compiling import part

__all__ = ["box", "clear", "disc", "segment"]


@part
def clear(image, colour):  # type: ignore[no-untyped-def]
    """Paints all of a picture."""
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            image[row, column, 0], image[row, column, 1], image[row, column, 2] = colour


@part
def _pixels(low, high, first, last, count):  # type: ignore[no-untyped-def]
    """The pixels, begin and end, whose centres may lie between two coordinates, where a picture shows first to last."""
    one, other = (low - first) / (last - first) * count, (high - first) / (last - first) * count
    begin, end = min(one, other), max(one, other)
    return max(math.floor(begin - 0.5), 0), min(math.ceil(end + 0.5), count)


@part
def segment(image, view, x0, y0, x1, y1, width, colour):  # type: ignore[no-untyped-def]
    """Paints what lies within half the width of a straight line between two points. Of one point it is a disc."""
    left, top, right, bottom = view
    height, columns = image.shape[0], image.shape[1]
    pixel_x, pixel_y = (right - left) / columns, (bottom - top) / height
    reach = max(0.5 * width, 0.5 * abs(pixel_x), 0.5 * abs(pixel_y))
    begin_row, end_row = _pixels(min(y0, y1) - reach, max(y0, y1) + reach, top, bottom, height)
    begin_column, end_column = _pixels(min(x0, x1) - reach, max(x0, x1) + reach, left, right, columns)
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    for row in range(begin_row, end_row):
        y = top + (row + 0.5) * pixel_y - y0
        for column in range(begin_column, end_column):
            x = left + (column + 0.5) * pixel_x - x0
            along = 0.0 if square == 0.0 else min(max((x * dx + y * dy) / square, 0.0), 1.0)
            away_x, away_y = x - along * dx, y - along * dy
            if away_x * away_x + away_y * away_y <= reach * reach:
                image[row, column, 0], image[row, column, 1], image[row, column, 2] = colour


@part
def disc(image, view, x, y, radius, colour):  # type: ignore[no-untyped-def]
    """Paints a disc."""
    segment(image, view, x, y, x, y, 2.0 * radius, colour)


@part
def box(image, view, x0, y0, x1, y1, colour):  # type: ignore[no-untyped-def]
    """Paints a rectangle with two opposite corners."""
    left, top, right, bottom = view
    begin_row, end_row = _pixels(y0, y1, top, bottom, image.shape[0])
    begin_column, end_column = _pixels(x0, x1, left, right, image.shape[1])
    pixel_x, pixel_y = (right - left) / image.shape[1], (bottom - top) / image.shape[0]
    for row in range(begin_row, end_row):
        y = top + (row + 0.5) * pixel_y
        for column in range(begin_column, end_column):
            x = left + (column + 0.5) * pixel_x
            if min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
                image[row, column, 0], image[row, column, 1], image[row, column, 2] = colour
