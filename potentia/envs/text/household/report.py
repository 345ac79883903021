"""A house in words, and as a list of facts."""

from __future__ import annotations

from potentia.envs.text.household.house import House

__all__ = ["caption", "facts"]


def caption(house: House) -> str:
    """What one sees and holds where one stands."""
    room = house.room
    where = "in the middle of the room" if house.at < 0 else f"at {room.receptacles[house.at]}"
    words = [f"You are {where}."]
    if house.at >= 0:
        words.append(house.do(f"examine {room.receptacles[house.at]}"))
        words += [f"The {room.objects[lamp]} is on." for lamp in house.visible() if house.lit >> lamp & 1]
    if house.held < 0:
        words.append("You are not carrying anything.")
    else:
        states = _states(house, house.held)
        words.append(f"You are carrying a {room.objects[house.held]}{', which is ' if states else ''}"
                     f"{' and '.join(states)}.")  # fmt: skip
    return " ".join(words)


def facts(house: House) -> list[str]:
    """All that is true and can change, in ALFWorld's predicates: where one is, what lies where and is how, the goal."""
    room = house.room
    lines = [f"atlocation(agent, {room.receptacles[house.at]})"] if house.at >= 0 else []
    for obj, place in enumerate(house.places):
        name = room.objects[obj]
        lines.append(f"inreceptacle({name}, {room.receptacles[place]})" if place >= 0 else f"holds(agent, {name})")
        lines += [f"is{state}({name})" for state in _states(house, obj)]
    lines += [f"opened({name})" for place, name in enumerate(room.receptacles) if house.opened >> place & 1]
    return [*lines, f"goal({room.goal.sentence})"]


def _states(house: House, obj: int) -> list[str]:
    marks = {"clean": house.clean, "hot": house.hot, "cool": house.cool, "sliced": house.sliced, "toggled": house.lit}
    return [state for state, mark in marks.items() if mark >> obj & 1]
