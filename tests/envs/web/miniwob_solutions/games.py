"""Solutions of pages that are played: what moves, flashes, answers or hides something."""

from __future__ import annotations

import functools
import re

import numpy as np

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def click_remembered_numbers(play):
    """Once the first is clicked the others are covered."""
    points = {int(row.name): play.middle(place) for place, row in enumerate(play.rows)}
    for number in sorted(points):
        play.mouse("click", points[number])


def chase_circle(play):
    while not play.over:
        play.mouse("move", play.middle(0))


def click_moving_circles(play):
    """Those that can be seen, until the page's time is over."""
    while not play.over:
        circles = [play.middle(row) for row, element in enumerate(play.rows) if element.role == "shape"]
        seen = [(x, min(y, 205)) for x, y in circles if 5 < x < 155]
        if seen:
            play.mouse("click", seen[0])
        else:
            play.wait()


def find_greatest(play):
    """Turns each card and believes only what a turned card says."""
    seen = []
    for card in range(3):
        play.mouse("click", play.middle(card))
        seen.append(int(play.rows[card].name))
    play.mouse("click", play.middle(seen.index(max(seen))))
    play.click("button", "Submit")


def generate_number(play):
    fits = {
        "less": lambda number, limit: number < limit,
        "greater": lambda number, limit: number > limit,
        "odd": lambda number, limit: number % 2 == 1,
        "even": lambda number, limit: number % 2 == 0,
    }[play.asked("(less|greater|odd|even)")]
    limit = int((re.findall(r"\d", play.goal) or [0])[0])
    play.click("button", "Generate")
    while not fits(int(play.rows[0].name), limit):
        play.click("button", "Generate")
    play.click("button", "Submit")


def guess_number(play):
    low, high = 0, 9
    while not play.over:
        guess = (low + high) // 2
        play.submit(guess)
        if any("higher" in name for name in play.names):
            low = guess + 1
        else:
            high = guess - 1


def find_hot(play):
    """Asks each time where the answer is the least certain."""
    words = ["HOT", "WARM", "COLD", "ICE COLD"]
    grid = [(x, y) for x in range(5, 155, 6) for y in range(55, 172, 6)]
    possible = np.array([(x, y) for x in range(5, 155) for y in range(55, 170)])

    def answers(point, places):
        return np.digitize(np.hypot(*(places - point).T), (5, 10, 40))

    answer = ""
    while answer != "HOT":
        some = possible[:: 1 + len(possible) // 200]
        shares = {point: np.bincount(answers(point, some)).max() for point in [*map(tuple, some[::5]), *grid]}
        point = min(shares, key=shares.get)
        play.mouse("move", point)
        answer = play.names[-1]
        possible = possible[answers(point, possible) == words.index(answer)]
    play.mouse("click", point)


def repeat_flashes(play):
    """Eyes: which button is lighter. Three to five flash, one every 600 milliseconds."""
    flashes, lit = [], -1
    for _ in range(15):
        play.wait()
        before, lit = lit, play.see('[...document.querySelectorAll("#area button")].findIndex((n) => n.className)')
        if lit not in (before, -1):
            flashes.append(lit)
    for button in flashes:
        play.click("button", nth=button)


def buy_cheap(play):
    limit = float(play.asked(r"less than \$(\S+)\.$"))
    while float(play.names[-2].lstrip("$") or "inf") > limit:
        play.wait()
    play.click("button", "Buy")


def win_tic_tac_toe(play):
    while not play.over:
        board = tuple({"mark-x": "X", "mark-o": "O"}.get(name, "") for name in play.names)
        play.click_row(max(free_cells(board), key=lambda cell: chance(board, cell)))


def free_cells(board):
    return [cell for cell in range(9) if not board[cell]]


def with_mark(board, cell, mark):
    return (*board[:cell], mark, *board[cell + 1 :])


def has_line(board, mark):
    return any(all(board[cell] == mark for cell in line) for line in LINES)


@functools.cache
def chance(board, cell):
    """That X wins who takes a cell and then plays well, against an O who plays at random or, as the page's, passes."""
    board = with_mark(board, cell, "X")
    if has_line(board, "X"):
        return 1.0
    if not free_cells(board):
        return 0.0
    replies = [best_chance(with_mark(board, reply, "O")) for reply in free_cells(board)]
    return 0.55 * sum(replies) / len(replies) + 0.45 * best_chance(board)


def best_chance(board):
    if has_line(board, "O"):
        return 0.0
    return max((chance(board, cell) for cell in free_cells(board)), default=0.0)


SOLUTIONS = {
    "ascending-numbers": click_remembered_numbers,
    "chase-circle": chase_circle,
    "find-greatest": find_greatest,
    "generate-number": generate_number,
    "guess-number": guess_number,
    "hot-cold": find_hot,
    "moving-items": click_moving_circles,
    "simon-says": repeat_flashes,
    "stock-market": buy_cheap,
    "tic-tac-toe": win_tic_tac_toe,
}
