"""Drawing: which pixels a disc, a line and a box paint."""

from __future__ import annotations

import numpy as np

from potentia.envs.control.drawing import box, clear, disc, segment

VIEW = (0.0, 10.0, 10.0, 0.0)  # y grows upwards
WHITE, RED = (255, 255, 255), (255, 0, 0)


def painted(draw: object, *arguments: object) -> list[str]:
    image = np.zeros((10, 10, 3), np.uint8)
    clear(image, WHITE)
    draw(image, VIEW, *arguments, RED)  # type: ignore[operator]
    assert set(np.unique(image.reshape(-1, 3), axis=0)[:, 1]) <= {0, 255}
    return ["".join("#" if pixel[1] == 0 else "." for pixel in row) for row in image]


def test_a_disc_paints_the_pixels_whose_centres_it_holds() -> None:
    assert painted(disc, 2.5, 7.5, 1.0)[:5] == ["..........", "..#.......", ".###......", "..#.......", ".........."]


def test_a_disc_at_the_edge_is_cut_off() -> None:
    rows = painted(disc, 0.0, 0.0, 1.6)
    assert rows[-2:] == ["#.........", "##........"]
    assert "#" not in "".join(rows[:-2])


def test_a_line_thinner_than_a_pixel_has_no_gaps() -> None:
    assert painted(segment, 1.5, 4.5, 8.5, 4.5, 0.0)[5] == ".########."
    steep = painted(segment, 0.5, 0.5, 4.5, 9.5, 0.0)
    assert all("#" in row for row in steep)


def test_a_box_paints_its_corners_in_any_order() -> None:
    rows = painted(box, 8.0, 1.0, 2.0, 3.0)
    assert rows == painted(box, 2.0, 3.0, 8.0, 1.0)
    assert rows == [".........."] * 7 + ["..######.."] * 2 + [".........."]
