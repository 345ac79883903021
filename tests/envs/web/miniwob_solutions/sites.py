"""Solutions of pages that are small sites: mail, social media, search, flights, food, a calendar, a terminal."""

from __future__ import annotations

import re

from tests.envs.web.miniwob_solutions.pressing import durations
from tests.envs.web.miniwob_solutions.writing import pick_date

EDITOR_COLORS = {
    "red": (230, 0, 0),
    "orange": (255, 153, 0),
    "yellow": (255, 255, 0),
    "green": (0, 138, 0),
    "blue": (0, 102, 204),
    "purple": (153, 51, 255),
}
CALENDAR = (52, 206)  # from which pixel down to which it is seen


# ---- mail ----
def answer(play, sender, text):
    play.click("text", sender)
    play.click("text", "Reply")
    play.fill(text)
    play.click("text", "send-reply")


def forward(play, sender, receiver):
    play.click("text", sender)
    play.click("text", "Forward")
    play.fill(receiver)
    play.click("text", "send-forward")


def press_icon(play, sender, icon):
    play.click_row(play.after(play.find("text", sender), icon))


def do_mail(play):
    sender = play.asked(r"email by (.+?) and")
    if "reply" in play.goal:
        answer(play, sender, play.quoted[0])
    elif "forward" in play.goal:
        forward(play, sender, play.asked(r"email to (.+)\.$"))
    else:
        press_icon(play, sender, play.asked("click the (trash|star) icon"))


def forward_fields(play):
    """Sender and receiver as the page's fields name them: some of its sentences confuse them."""
    forward(play, *play.fields[:2])


def do_mail_fields(play):
    task, sender, *details = play.fields
    if task == "reply":
        answer(play, sender, details[0])
    elif task == "forward":
        forward(play, sender, details[0])
    else:
        press_icon(play, sender, {"delete": "trash", "star": "star"}[task])


# ---- social media ----
def react(play):
    user, action = play.asked(r'user (\S+), click on the "(.+)" button')
    row = play.find("text", user)
    if action in ("Reply", "Retweet", "Like"):
        play.click_row(play.after(row, action.lower()))
    else:
        play.click_row(play.after(row, "more"))
        play.click_row(next(row for row, name in enumerate(play.names) if name.startswith(action)))


def react_to_posts(play):
    action, number, user = play.asked(r'"(.+)" button on (\d+|all) posts? by (\S+)')
    posts = [row for row, name in enumerate(play.names) if name == user]
    for post in posts if number == "all" else posts[: int(number)]:
        play.click_row(play.after(post, action.lower()))
    play.click("button", "Submit")


# ---- looking up ----
def search(play):
    play.fill(play.quoted[0])
    play.click("button", "Search")
    page, place = divmod(int(play.asked(r"the (\d+)")) - 1, 3)
    if page:
        play.click("link", str(page + 1))
    play.click("link", nth=place)


def look_up(play):
    person, detail = play.asked(r"Find (.+) in the contact book and click on their (\w+)")
    while play.find("heading", person) is None:
        play.click("link", ">")
    x, y, _, height = play.rows[play.find("text", f"{detail.title()}:") + 1].box
    play.mouse("click", (x + 3, y + height - 5))  # where it goes over two lines its middle may be empty


def book_flight(play):
    order, begin, end, date = play.asked(r"the (\w+) one-way flight from: (.+) to: (.+) on (\S+)\.$")
    for box, place in enumerate((begin, end)):
        play.fill(f"({place})" if place.isupper() else place, box)  # a code alone is found within other names, too
        play.wait()
        play.click("text", next(name for name in play.names if place in name and name.endswith(")")))
    pick_date(play, date, 2)
    play.click("button", "Search")
    flights = [row for row, name in enumerate(play.names) if name.startswith("Book flight")]
    costs = durations(play) if order == "shortest" else [int(play.names[row].partition("$")[2]) for row in flights]
    play.click_row(flights[costs.index(min(costs))])


def order_food(play):
    if "one of each" in play.goal:
        items, each = play.asked("item: (.+)").split(","), 1
    else:
        each, item = play.asked(r"Order (\d) items that are (\S+)")
        items = [item]
    for item in items:
        for _ in range(int(each)):
            play.click_row(play.after(play.names.index(item.strip()), "+"))
    play.click("button", "Order!")


# ---- planning and writing ----
def create_event(play):
    length, unit, name, begin = play.asked(r'Create a (\S+) (\w+?)s? event named "(.+)", between (\w+) and')
    halves = round(float(length) * {"min": 1, "hour": 60}[unit] / 30)
    hour = play.find("text", begin.lower())
    while not (runs := free_runs(play, range(hour, hour + 12), halves)):
        play.do('scroll("down")')
    first, last = runs[0]
    (x, y), (end_x, end_y) = play.middle(first), play.middle(last)
    play.draw((x, y), (end_x + 3, end_y + 3))
    if play.find("textbox") is None:  # with some fonts the event is drawn above its hours
        event = play.find("text", "New event")
        if play.rows[event].box[1] < CALENDAR[0]:
            play.do('scroll("up")')
        play.click_row(event)
    play.fill(name)
    play.click("button", "Create")


def free_runs(play, rows, length):
    """The first and last of so many half-hours in a row that can be pressed, among those in some rows."""
    halves = [row for row in rows if play.names[row] == "half-hour"]
    runs = zip(halves, halves[length - 1 :], strict=False)
    return [(first, last) for first, last in runs if all(can_press(play, row) for row in (first, last))]


def can_press(play, row):
    _, y, _, height = play.rows[row].box
    return CALENDAR[0] <= y and y + height <= CALENDAR[1] and play.is_bare(play.middle(row), row)


def delete_file(play):
    play.do(r'type("ls\n")')
    files = play.names[play.names.index("ls") + 1].split()
    ending = re.search(r"extension (\.\S+)$", play.goal)
    if ending:  # the page looks for the first place where the extension stands in a name
        fits = [file for file in files if file.find(ending[1][1:]) == len(file) - len(ending[1][1:])]
    else:
        fits = [file for file in files if "." not in file]
    play.do(rf'type("rm {fits[0]}\n")')


def style_text(play):
    text, style = play.asked(r"(?:the text|make|give) (\S+) the (?:style|color) (\w+)")
    editor = next(row for row, element in enumerate(play.rows) if element.value)
    if text == "everything":
        x, y, width, height = play.rows[editor].box
        play.draw((x + 16, y + 14), (x + width - 4, y + height - 4))
    else:
        left, right, y = play.see(
            """((word) => {  // eyes: where a word stands
            const node = document.querySelector("#editor p").firstChild, range = document.createRange();
            const begin = (" " + node.data).indexOf(" " + word);
            range.setStart(node, begin);
            range.setEnd(node, begin + word.length);
            const box = range.getBoundingClientRect();
            return [box.left, box.right, box.top + box.height / 2];
        })"""
            f"({text!r})"
        )
        play.draw((left, y), (right, y))
    if style in ("bold", "italics", "underlined"):
        play.click("button", "", ("bold", "italics", "underlined").index(style))  # eyes: the icons B, I and U
    else:
        play.click("shape", "none", 1)
        play.click("text", "rgb({}, {}, {})".format(*EDITOR_COLORS[style]))
    play.click("button", "Submit")


SOLUTIONS = {
    "book-flight": book_flight,
    "book-flight-nodelay": book_flight,
    "daily-calendar": create_event,
    "email-inbox": do_mail,
    "email-inbox-delete": do_mail,
    "email-inbox-forward": do_mail,
    "email-inbox-forward-nl": forward_fields,
    "email-inbox-forward-nl-turk": forward_fields,
    "email-inbox-important": do_mail,
    "email-inbox-nl-turk": do_mail_fields,
    "email-inbox-noscroll": do_mail,
    "email-inbox-reply": do_mail,
    "email-inbox-star-reply": do_mail,
    "order-food": order_food,
    "phone-book": look_up,
    "search-engine": search,
    "social-media": react,
    "social-media-all": react_to_posts,
    "social-media-some": react_to_posts,
    "terminal": delete_file,
    "text-editor": style_text,
}
