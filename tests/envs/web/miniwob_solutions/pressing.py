"""Solutions of pages on which something is to be pressed or chosen: buttons, links, tabs, menus, lists, trees."""

from __future__ import annotations

import re

from PIL.ImageColor import getrgb

BUTTON_DELAY_SECONDS = 0.25  # that an action takes on the page button-delay
SIMILAR_WORDS = """
    big large huge enormous gigantic/small tiny little mini petite/red scarlet crimson vermillion/
    happy cheerful joyful gleeful delighted/sad unhappy sorrowful miserable tragic/angry mad furious irritated/
    evil wicked immoral sinful corrupt depraved/wrong incorrect mistaken erroneous/real genuine actual/
    strange odd peculiar unusual weird/stop cease halt end finish/
    scared terrified panicked fearful frightened afraid/quiet calm peaceful serene mild/old aged archaic/
    love like adore favor/kill murder assassinate/keep retain preserve sustain maintain/hide conceal camouflage/
    hate despise loathe detest dislike/funny humorous amusing comical laughable/fat fleshy plump chubby/
    stupid dumb dull unwise/delicious savory delectable appetizing/cut slice carve chop/brave courageous fearless/
    begin start initiate launch/answer reply response/television televisions TV TVs/house home houses homes/
    fire flame fires flames/pig pork swine/rabbit rabbits bunny bunnies/
    car cars automobile automobiles vehicle vehicles/water
"""
SYNONYMS = [set(group.split()) for group in SIMILAR_WORDS.split("/")]


def click_the_button(play):
    play.click("button")


def click_quoted_button(play):
    play.click("button", play.quoted[0])


def click_named_buttons(play):
    """One may cover the other's middle."""
    for name in re.findall(r"button (\w+)", play.goal):
        play.mouse("click", play.bare_point(play.find("button", name)))


def click_buttons_in_time(play):
    play.mouse("click", play.bare_point(play.find("button", "ONE")))
    play.wait(round(int(play.asked(r"wait (\d)")) / BUTTON_DELAY_SECONDS) - 1)
    play.click("button", "TWO")


def click_widget(play):
    role = {"text": "textbox", "textarea": "textbox"}.get(play.quoted[0], play.quoted[0])
    kinds = [row for row, element in enumerate(play.rows) if element.role == role]
    if role == "textbox":  # a text area is higher
        kinds = [row for row in kinds if (play.rows[row].box[3] > 23) == (play.quoted[0] == "textarea")]
    play.click_row(kinds[0])


def click_link(play):
    play.click("text", play.quoted[0])


def close_dialog(play):
    play.click("button", "Close")


def answer_dialog(play):
    play.click("button", {"x": "Close"}.get(play.quoted[0], play.quoted[0]))


def click_tab(play):
    play.click("link", play.asked(r"(Tab #\d)"))


def click_link_in_tabs(play):
    tabs = [row.name for row in play.rows if row.role == "link"]
    for tab in tabs[1:]:
        if play.over or play.find("text", play.quoted[0]) is not None:
            break
        play.click("link", tab)
    if not play.over:  # click-tab-2-medium takes the right tab itself for the link
        play.click("text", play.quoted[0])


def expand_section(play):
    play.click("heading")
    play.click("button", "Submit")


def click_link_in_sections(play):
    for section in range(3):
        play.click("heading", nth=section)
        play.wait()
        if play.find("text", play.quoted[0]) is not None:
            break
    play.click("text", play.quoted[0])


def click_menu_item(play):
    *menus, item = play.asked(r"Select (.+)").split(">")
    for menu in menus:  # they open under the mouse; a click would choose them
        play.mouse("move", play.middle(play.find("text", menu)))
    play.click("text", item)


def click_menu_item_or_icon(play):
    play.click("button", "Menu")
    icon = play.see('document.querySelector("#query span")?.className')  # eyes: it is in the goal, without words
    name = icon or play.quoted[1]
    if play.find("text", name) is None:
        play.mouse("move", play.middle(play.find("text", "Playback")))
    play.click("text", name)


def click_pie_item(play):
    play.click("text", "+")
    play.wait(3)
    play.click("text", play.quoted[0])


def click_in_tree(play):
    while play.find("text", play.quoted[0]) is None:
        play.click_row(next(row for row, name in enumerate(play.names) if name.startswith("expandable-hitarea")))
    play.click("text", play.quoted[0])


def choose(play):
    choose_named(play, play.asked(r"Select (.+?)(?: from the (?:scroll )?list)? and click Submit").split(", "))


def choose_similar(play):
    words = set(play.asked(r"similar to (.+) and click").split(", "))
    choose_named(play, set().union(*(group for group in SYNONYMS if group & words)))


def choose_named(play, names):
    """Options, boxes or radio buttons."""
    for row, element in enumerate(play.rows):
        if element.role in ("option", "checkbox", "radio") and element.name in names:
            play.click_row(row)
    play.click("button", "Submit")


def tick_digit(play):
    pattern = play.see(f"PATTERNS[{play.quoted[0]}].flat()")  # eyes: the picture to the right shows it
    for box, ticked in enumerate(pattern):
        if ticked:
            play.click("checkbox", nth=box)
    play.click("button", "Submit")


def mark_odd_and_even(play):
    numbers = [int(row.name) for row in play.rows if row.role == "text"]
    for place, number in enumerate(numbers):
        play.click_row(2 + 3 * place if number % 2 == 0 else 3 * place)
    play.click("button", "Submit")


def click_color(play):
    play.click("text", "rgb({}, {}, {})".format(*getrgb(play.asked(r"Click on the (\w+)"))))


def click_shades(play):
    wanted = ["red", "green", "blue"].index(play.asked(r"shades of (\w+)"))
    for row, name in enumerate(play.names[:-1]):
        channels = [int(channel) for channel in re.findall(r"\d+", name)]
        if channels[wanted] == max(channels):
            play.click_row(row)
    play.click("button", "Submit")


def buy_ticket(play):
    times, prices = durations(play), [int(row.name.partition("$")[2]) for row in play.rows if row.role == "button"]
    best = {
        "shortest duration": times.index(min(times)),
        "longest duration": times.index(max(times)),
        "cheapest cost": prices.index(min(prices)),
        "most expensive cost": prices.index(max(prices)),
    }
    play.click("button", nth=best[play.asked(r"with the (.+)\.")])


def durations(play):
    """The minutes of the texts such as "3h 25m", in order."""
    found = [re.fullmatch(r"(\d+)h (\d+)m", name) for name in play.names]
    return [60 * int(match[1]) + int(match[2]) for match in found if match]


SOLUTIONS = {
    "button-delay": click_buttons_in_time,
    "buy-ticket": buy_ticket,
    "choose-list": choose,
    "click-button": click_quoted_button,
    "click-button-sequence": click_named_buttons,
    "click-checkboxes": choose,
    "click-checkboxes-large": choose,
    "click-checkboxes-soft": choose_similar,
    "click-checkboxes-transfer": choose,
    "click-collapsible": expand_section,
    "click-collapsible-2": click_link_in_sections,
    "click-collapsible-2-nodelay": click_link_in_sections,
    "click-collapsible-nodelay": expand_section,
    "click-color": click_color,
    "click-dialog": close_dialog,
    "click-dialog-2": answer_dialog,
    "click-link": click_link,
    "click-menu": click_menu_item,
    "click-menu-2": click_menu_item_or_icon,
    "click-option": choose,
    "click-pie": click_pie_item,
    "click-pie-nodelay": click_pie_item,
    "click-scroll-list": choose,
    "click-shades": click_shades,
    "click-tab": click_tab,
    "click-tab-2": click_link_in_tabs,
    "click-tab-2-easy": click_link_in_tabs,
    "click-tab-2-hard": click_link_in_tabs,
    "click-tab-2-medium": click_link_in_tabs,
    "click-test": click_the_button,
    "click-test-2": click_named_buttons,
    "click-test-transfer": click_named_buttons,
    "click-widget": click_widget,
    "navigate-tree": click_in_tree,
    "number-checkboxes": tick_digit,
    "odd-or-even": mark_odd_and_even,
    "unicode-test": click_quoted_button,
}
