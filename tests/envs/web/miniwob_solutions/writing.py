"""Solutions of pages on which something is to be written: texts, forms, dates, sliders, what was read or reckoned."""

from __future__ import annotations

import calendar
import operator
import re

from PIL.ImageColor import getrgb

ORDINALS = {"1st": 0, "2nd": 1, "3rd": 2}
SUMS = {"+": operator.add, "-": operator.sub, "x": operator.mul}


def enter_quoted(play):
    play.submit(play.quoted[0])


def enter_first_field(play):
    """The text in the case asked for."""
    play.submit(play.fields[0])


def enter_moment(play):
    """A date or a time, as form controls hold them."""
    play.submit(play.fields[1])


def enter_password(play):
    play.fill(play.quoted[0])
    play.fill(play.quoted[0], 1)
    play.click("button", "Submit")


def log_in(play):
    play.fill(play.quoted[0])
    play.fill(play.quoted[1], 1)
    play.click("button", "Login")


def log_in_despite_popup(play):
    for box, text in enumerate(play.quoted):
        play.fill(text, box)
        if play.find("button", "Cancel") is not None:
            play.click("button", "Cancel")
            play.fill(text, box)
    play.click("button", "OK")


def focus(play):
    play.click("textbox")


def focus_nth(play):
    play.click("textbox", nth=ORDINALS[play.asked(r"the (\w+) input")])


def copy_text(play):
    texts = [row.value for row in play.rows if row.role == "textbox"]
    longest = max(range(len(texts)), key=lambda box: len(texts[box]))
    play.fill(texts[longest], 1 - longest)
    play.click("button", "Submit")


def copy_nth_text(play):
    texts = [row.value for row in play.rows if row.role == "textbox"]
    play.fill(texts[ORDINALS[play.asked(r"the (\w+) text area")]], 3)
    play.click("button", "Submit")


def enter_nth_word(play):
    word = play.rows[0].name.split()[int(play.asked(r"the (\d+)")) - 1]
    play.submit(re.sub("[^a-zA-Z]", "", word))


def enter_last_word(play):
    play.fill(play.rows[0].value.split()[-1], 1)
    play.click("button", "Submit")


def scroll_text(play):
    for _ in range(6):  # the longest text has 150 words, of which half are out of sight on either side
        play.do('scroll("up")' if "top" in play.goal else 'scroll("down")')
    play.click("button", "Submit")


def sign(play):
    if play.quoted:
        while "disabled" in play.rows[play.find("button", "Agree")].flags:
            play.do('scroll("down")')
        play.fill(play.quoted[0], 1)
    play.click("button", play.quoted[1] if play.quoted else "Cancel")


def enter_transformed(play):
    play.submit("".join(row.name for row in play.rows if row.role == "text"))


def reckon(play):
    first, sign, second = re.match(r"(\d+) (.) (\d+)", play.rows[0].name).groups()
    play.submit(SUMS[sign](int(first), int(second)))


def solve_for_x(play):
    first, sign, second, result = re.match(r"(\w+) (.) (\w+) = (\d+)", play.rows[0].name).groups()
    result = int(result)
    if sign == "+":
        play.submit(result - int(second if first == "x" else first))
    else:
        play.submit(result + int(second) if first == "x" else int(first) - result)


def count_blocks(play):
    play.submit(play.see('document.querySelectorAll(".addition-block").length'))  # eyes: they are no rows


def enter_value(play):
    key = play.asked(r"value of (.+) into")
    play.submit(play.names[play.names.index(key) + 1])


def enter_values(play):
    for row, element in enumerate(play.rows):
        if element.role == "label":
            play.fill_row(row + 1, play.names[play.names.index(element.name.strip(" :")) + 1])
    play.click("button", "Submit")


def search_movies(play):
    """Labels and text boxes come in the same order; the last row is the button."""
    wanted = dict(zip(("Genre", "Director", "Year", "Released"), (*play.fields[:3], play.fields[2]), strict=True))
    asked = [text for name in play.names for word, text in wanted.items() if word in name]
    for box, text in enumerate(asked):
        play.fill(text, box)
    play.click_row(len(play.rows) - 1)


def autocomplete(play):
    begin, end = (*play.quoted, "")[:2]
    play.fill(begin)
    play.wait()
    play.click("text", next(name for name in play.names if name.startswith(begin) and name.endswith(end)))
    play.click("button", "Submit")


def pick_date(play, date, box=0):
    """Of the year that the calendar shows, in which it begins with the last month."""
    month, day, _ = date.split("/")
    play.click("textbox", nth=box)
    while play.find("text", calendar.month_name[int(month)]) is None:
        play.click("text", "Prev")
    play.click("link", str(int(day)))


def choose_date(play):
    pick_date(play, play.fields[0])
    play.click("button", "Submit")


def pick_color(play, color):
    """The wheel lies over the button, so that goes by keys."""
    play.fill("{:02X}{:02X}{:02X}".format(*color))
    play.press("Tab")
    play.press("Enter")


def pick_named_color(play):
    pick_color(play, getrgb(play.asked(r"Select (\w+) with")))


def pick_shown_color(play):
    shown = play.see('getComputedStyle(document.querySelector("#query .cc")).backgroundColor')  # eyes: in the goal
    pick_color(play, [int(channel) for channel in re.findall(r"\d+", shown)])


def use_spinner(play):
    wanted = int(play.asked(r"(-?\d+)"))
    for _ in range(abs(wanted)):
        play.click("button", "", 0 if wanted > 0 else 1)
    play.click("button", "Submit")


def set_slider(play, wanted, nth=0):
    """A click gives it the focus, keys move it; the nth row tells its value."""
    handles = """[...document.querySelectorAll(".ui-slider-handle")].map((handle) => {
        const box = handle.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    })"""
    play.mouse("click", play.see(handles)[nth])  # eyes: handles are no rows
    page = 0
    while page == 0 or 2 * abs(wanted - value(play, nth)) > page:
        before = value(play, nth)
        play.press("PageUp" if wanted > before else "PageDown")
        page = max(abs(value(play, nth) - before), 1)
    away = wanted - value(play, nth)
    play.press("ArrowRight" if away > 0 else "ArrowLeft", abs(away))


def value(play, nth):
    return int(play.rows[nth].name)


def use_slider(play):
    set_slider(play, int(play.asked(r"Select (-?\d+)")))
    play.click("button", "Submit")


def use_sliders(play):
    for slider, wanted in enumerate(play.asked(r"\[(.+)\]").split(",")):
        set_slider(play, int(wanted), slider)
    play.click("button", "Submit")


def fill_sequence(play):
    number, box = play.asked(r"Select (-?\d+) with the slider, click the (\w+) checkbox")
    set_slider(play, int(number))
    play.click("checkbox", nth=ORDINALS[box])
    play.click("button", "Submit")


def fill_sequence_2(play):
    radio, number, box = play.asked(r'the (\w+) radio button and enter the number "(.+)" into the (\w+) textbox')
    play.click("radio", nth=ORDINALS[radio])
    play.fill(number, ORDINALS[box])
    play.click("button", "Submit")


def fill_sequence_3(play):
    play.click("text", "label")
    play.click("listitem", play.asked("Choose (.+) from the dropdown"))
    play.click("button", play.quoted[0])


SOLUTIONS = {
    "choose-date": choose_date,
    "choose-date-easy": choose_date,
    "choose-date-medium": choose_date,
    "choose-date-nodelay": choose_date,
    "copy-paste": copy_text,
    "copy-paste-2": copy_nth_text,
    "enter-date": enter_moment,
    "enter-password": enter_password,
    "enter-text": enter_quoted,
    "enter-text-2": enter_first_field,
    "enter-text-dynamic": enter_quoted,
    "enter-time": enter_moment,
    "find-word": enter_nth_word,
    "focus-text": focus,
    "focus-text-2": focus_nth,
    "form-sequence": fill_sequence,
    "form-sequence-2": fill_sequence_2,
    "form-sequence-3": fill_sequence_3,
    "login-user": log_in,
    "login-user-popup": log_in_despite_popup,
    "multi-layouts": search_movies,
    "multi-orderings": search_movies,
    "read-table": enter_value,
    "read-table-2": enter_values,
    "scroll-text": enter_last_word,
    "scroll-text-2": scroll_text,
    "sign-agreement": sign,
    "simple-algebra": solve_for_x,
    "simple-arithmetic": reckon,
    "text-transform": enter_transformed,
    "use-autocomplete": autocomplete,
    "use-autocomplete-nodelay": autocomplete,
    "use-colorwheel": pick_named_color,
    "use-colorwheel-2": pick_shown_color,
    "use-slider": use_slider,
    "use-slider-2": use_sliders,
    "use-spinner": use_spinner,
    "visual-addition": count_blocks,
}
