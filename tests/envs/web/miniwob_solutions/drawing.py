"""Solutions of pages on which something is drawn, dragged, marked, pointed at or told by its shape."""

from __future__ import annotations

import math
import re

DRAWN_OFF = 2  # pixels right of and below a click where the geometry pages draw its point
CANVAS = [(x, y) for x in range(2, 152) for y in range(52, 178)]
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
STEPS = {
    "up by one position": -1, "down by one position": 1,
    "up by one": -3, "down by one": 3, "left by one": -1, "right by one": 1,
}  # fmt: skip
PLACES = {
    "top": 0, "bottom": 4,
    "1st position": 0, "2nd position": 1, "3rd position": 2, "4th position": 3, "5th position": 4,
    "top left": 0, "top center": 1, "top right": 2, "center left": 3, "center": 4, "center right": 5,
    "bottom left": 6, "bottom center": 7, "bottom right": 8,
}  # fmt: skip
TAGS = {"rectangle": "rect", "circle": "circle", "triangle": "polygon"}
KINDS = {tag: kind for kind, tag in TAGS.items()}


# ---- geometry ----
def shapes(play, fill=None):
    return [row for row, element in enumerate(play.rows) if element.role == "shape" and fill in (None, element.name)]


def centers(play, fill):
    return [play.middle(row) for row in shapes(play, fill)]


def angle(first, vertex, second):
    turn = math.atan2(first[1] - vertex[1], first[0] - vertex[0])
    turn -= math.atan2(second[1] - vertex[1], second[0] - vertex[0])
    return abs(math.remainder(turn, math.tau))


def add_point(play, error, off=DRAWN_OFF):
    """The pixel whose point has the least error, then "Submit"."""
    play.mouse("click", min(CANVAS, key=lambda pixel: error((pixel[0] + off, pixel[1] + off))))
    play.click("button", "Submit")


def bisect_angle(play):
    (vertex,), (first, second) = centers(play, "blue"), centers(play, "black")
    add_point(play, lambda point: max(angle(first, vertex, point), angle(second, vertex, point)))


def complete_right_angle(play):
    (vertex,), (first,) = centers(play, "blue"), centers(play, "black")
    add_point(
        play,
        lambda point: abs(angle(first, vertex, point) - math.pi / 2) if math.dist(point, vertex) > 9 else math.inf,
        off=DRAWN_OFF + 0.5,  # the point that it draws is a little smaller than those that are there
    )


def mark_center(play):
    (center,) = centers(play, "white")
    add_point(play, lambda point: math.dist(point, center))


def mark_midpoint(play):
    first, second = centers(play, "black")
    middle = (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
    add_point(play, lambda point: math.dist(point, middle))


def click_coordinate(play):
    x, y = (int(number) for number in play.asked(r"\((-?\d),(-?\d)\)"))
    points = centers(play, "blue")
    columns, rows = (sorted({point[axis] for point in points}) for axis in (0, 1))
    play.mouse("click", (columns[2 + x], rows[2 - y]))


# ---- drawing and marking ----
def draw_line(play):
    (x, y) = play.middle(shapes(play)[0])
    along_x, along_y = (25, 0) if "horizontal" in play.goal else (0, 25)
    play.draw((x - along_x, y - along_y), (x, y), (x + along_x, y + along_y))
    play.click("button", "Submit")


def draw_circle(play):
    (x, y) = play.middle(shapes(play)[0])
    turns = [step * math.tau / 6 for step in range(7)]
    play.draw(*((x + 20 * math.cos(turn), y + 20 * math.sin(turn)) for turn in turns))
    play.click("button", "Submit")


def mark_row(play, row):
    x, y, width, height = play.rows[row].box
    play.draw((x + 1, y + 4), (x + width - 1, y + height - 4))


def highlight_text(play):
    texts = [row for row, element in enumerate(play.rows) if element.role == "text"]
    order = re.search(r"the (\d)\w+ paragraph", play.goal)
    mark_row(play, texts[int(order[1]) - 1 if order else 0])
    play.click("button", "Submit")


def resize_text_area(play):
    dimension, size = play.asked(r"the (width|height) is (smaller|larger)")
    x, y, width, height = play.rows[0].box
    corner = x + width - 4, y + height - 4
    change = 15 if size == "larger" else -15
    play.draw(corner, (corner[0] + change * (dimension == "width"), corner[1] + change * (dimension == "height")))
    play.click("button", "Submit")


# ---- dragging ----
def drag_box(play):
    play.drag(play.find("text", "s"), play.find("text", "L"))
    play.click("button", "Submit")


def drag_shape(play):
    x, y = play.middle(shapes(play)[0])
    to_x, to_y = DIRECTIONS[play.asked(r"Drag the \w+ (\w+)")]
    play.draw((x, y), (x + 25 * to_x, y + 25 * to_y))
    play.click("button", "Submit")


def tags(play):
    """Eyes: what the shapes of a drawing are."""
    return play.see('[...document.querySelectorAll("#area svg > *")].map((node) => node.localName)')


def drag_shapes(play):
    wanted = TAGS[play.asked(r"Drag all (\w+)s")]
    (box,) = shapes(play, "none")
    for row, tag in zip(shapes(play), tags(play), strict=True):
        if tag == wanted and row != box:
            play.drag(row, box)
    play.click("button", "Submit")


def sort_shapes(play):
    wanted = play.asked(r"Drag all (\w+)")
    left, right = shapes(play, "none")
    for row, tag in zip(shapes(play), tags(play), strict=True):
        if row not in (left, right):
            play.drag(row, left if wanted in (play.rows[row].name, KINDS[tag] + "s") else right)
    play.click("button", "Submit")


def move_item(play, row, target):
    """Onto another item of a list, which orders itself by a timer and by the direction of the last move."""
    x, y = play.middle(target)
    on = 1 if target > row else -1
    play.draw(play.middle(row), (x, y), (x + on, y + on), (x + on, y + on))


def move_in_list(play):
    name, target = play.asked(r"Drag (\S+) (?:to the )?(.+)\.")
    row = play.find("text", name)
    move_item(play, row, row + STEPS[target] if target in STEPS else PLACES[target])


def sort_numbers(play):
    for place in range(3):
        numbers = [int(row.name) for row in play.rows if row.role == "text"]
        smallest = numbers.index(min(numbers[place:]), place)
        if smallest != place:
            move_item(play, smallest, place)
    play.click("button", "Submit")


def turn_cube(play):
    """The cube begins with 6 in front and turns by about 6 degrees for 5 pixels."""
    path = {
        "1": [(80, 130), (80, 20)],
        "2": [(130, 130), (130, 97), (30, 97)],
        "3": [(80, 130), (80, 97)],
        "4": [(15, 130), (15, 97), (91, 97)],
        "5": [(15, 130), (15, 97), (91, 97), (151, 97)],
        "6": [(80, 130)],
    }[play.quoted[0]]
    play.mouse("move", path[0])
    play.draw(*path, path[-1])
    play.click("button", "Submit")


# ---- shapes ----
def described(play):
    """Of each thing in a drawing, the words that may describe it. Eyes: its colour, and whether it is a circle ..."""
    colors = play.see('[...document.querySelectorAll("#area svg > *")].map((node) => node.getAttribute("fill"))')
    for row, (tag, color) in enumerate(zip(tags(play), colors, strict=True)):
        text, height = play.rows[row].name, play.rows[row].box[3]
        kind = {KINDS[tag], "shape"} if tag in KINDS else {text, "digit" if text.isdigit() else "letter"}
        yield {"item", color, "large" if height >= 15 else "small", *kind}


def click_shape(play):
    words = set(play.asked("Click on a (.+)").split())
    play.click_row(next(row for row, thing in enumerate(described(play)) if words <= thing))


def count_shapes(play):
    words = set(play.asked("How many (.+)s are there").split())
    play.click("button", str(sum(words <= thing for thing in described(play))))


def identify_shape(play):
    (thing,) = described(play)
    (kind,) = thing & {"rectangle", "circle", "triangle", "letter", "digit"}
    play.click("button", "Number" if kind == "digit" else kind.title())


def count_sides(play):
    """Eyes: how near to its middle the outline comes, of a shape whose corners are 35 pixels away and lines 3 wide."""
    nearest = play.see(
        """(() => {
        const pixels = document.getElementById("c").getContext("2d").getImageData(0, 0, 150, 100).data;
        const distance = (pixel) => Math.hypot(pixel % 150 + 0.5 - 75, Math.floor(pixel / 150) + 0.5 - 50);
        return Math.min(...Array(15000).keys().filter((pixel) => pixels[4 * pixel + 3] > 127).map(distance));
    })()"""
    )
    sides = min(range(3, 8), key=lambda number: abs(35 * math.cos(math.pi / number) - 1.5 - nearest))
    play.click("button", str(sides))


SOLUTIONS = {
    "bisect-angle": bisect_angle,
    "circle-center": mark_center,
    "click-shape": click_shape,
    "count-shape": count_shapes,
    "count-sides": count_sides,
    "drag-box": drag_box,
    "drag-circle": drag_shape,
    "drag-cube": turn_cube,
    "drag-items": move_in_list,
    "drag-items-grid": move_in_list,
    "drag-shapes": drag_shapes,
    "drag-shapes-2": sort_shapes,
    "drag-single-shape": drag_shape,
    "drag-sort-numbers": sort_numbers,
    "draw-circle": draw_circle,
    "draw-line": draw_line,
    "find-midpoint": mark_midpoint,
    "grid-coordinate": click_coordinate,
    "highlight-text": highlight_text,
    "highlight-text-2": highlight_text,
    "identify-shape": identify_shape,
    "resize-textarea": resize_text_area,
    "right-angle": complete_right_angle,
}
