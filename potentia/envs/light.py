"""How light falls into MiniGrid's view: the one rule of ``Grid.process_vis``, row by row."""

from __future__ import annotations

from potentia.compiling import part


@part
def spread(lit: int, clear: int, size: int) -> tuple[int, int]:
    """Light spreads along a row through clear cells, first to the right, then to the left, and on to the next row.

    Args:
        lit: The cells of the row that are lit from the row before, one bit a column.
        clear: Those that let light pass.
        size: The number of columns.

    Returns:
        The cells of this row that are lit in the end, and those of the next row that it lights.
    """
    onward = 0
    for i in range(size - 1):
        if lit >> i & 1 and clear >> i & 1:
            lit |= 2 << i
            onward |= 3 << i
    for i in range(size - 1, 0, -1):
        if lit >> i & 1 and clear >> i & 1:
            lit |= 1 << (i - 1)
            onward |= 3 << (i - 1)
    return lit, onward
