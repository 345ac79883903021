"""BrowserGym beside ours: strings and trees on a page written here; the rest where BrowserGym is installed."""

from __future__ import annotations

import ast
import pickle
from importlib import import_module
from importlib.util import find_spec

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import registry
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import BrowserType, sync_playwright

from potentia.envs.web import TASKS, WebEnv
from potentia.envs.web.actions import Action
from potentia.envs.web.browsergym import PotentiaTask, from_browsergym, register
from potentia.envs.web.browsergym.env import FromBrowserGym
from potentia.envs.web.browsergym.strings import action_string
from potentia.envs.web.browsergym.tree import read_tree
from potentia.envs.web.elements import ROLES, page_text
from potentia.envs.web.tasks import suite
from potentia.envs.web.tasks.app_task import AppTask

needs_browsergym = pytest.mark.skipif(
    find_spec("browsergym") is None, reason="BrowserGym is not installed: it pins a Playwright of its own"
)
CALLS = {
    "noop", "click", "fill", "select_option", "drag_and_drop", "keyboard_press", "keyboard_type", "scroll", "go_back",
    "send_msg_to_user", "mouse_click", "mouse_move", "mouse_down", "mouse_up",
}  # fmt: skip


def node(key: str, role: str, name: str = "", *, bid: str = "", children: str = "", value: str = "", **properties):
    """A node as Chromium's accessibility tree has it."""
    found = {
        "nodeId": key,
        "ignored": role == "none",
        "role": {"type": "role", "value": role},
        "name": {"type": "computedString", "value": name},
        "properties": [{"name": k, "value": {"type": "any", "value": v}} for k, v in properties.items()],
        "childIds": children.split(),
    }
    return (
        found
        | ({"browsergym_id": bid} if bid else {})
        | ({"value": {"type": "string", "value": value}} if value else {})
    )


# A form: a heading, a labelled text box that holds text, a ticked check box in its label, a list with two options, a
# clickable box of colour, a locked button, a text within a clickable list item, and a frame's link. In the order in
# which Chromium lists nodes: by depth.
TREE = {
    "nodes": [
        node("1", "RootWebArea", "Order", children="2", focusable=True, focused=True),
        node("2", "none", children="3 4 6 7 10 14 15 17 19"),
        node("3", "heading", "Order tea", bid="10", children="20", level=1),
        node("4", "textbox", "Note", bid="11", children="5", value="no milk", editable="plaintext", readonly=False),
        node("6", "LabelText", bid="12", children="8 9"),
        node("7", "generic", bid="13"),
        node("10", "combobox", "Size", bid="16", children="11", value="Large"),
        node("14", "button", "Send", bid="19", children="21", disabled=True),
        node("15", "listitem", bid="20", children="16"),
        node("17", "textbox", "Code", bid="21", readonly=True),
        node("19", "Iframe", bid="a", children="30"),
        node("20", "StaticText", "Order tea"),
        node("5", "StaticText", "no milk"),
        node("8", "checkbox", "Gift wrap", bid="14", checked="true"),
        node("9", "StaticText", "Gift wrap"),
        node("11", "MenuListPopup", children="12 13"),
        node("16", "StaticText", "Green tea"),
        node("21", "StaticText", "Send"),
        node("30", "RootWebArea", "Terms", children="31"),
        node("12", "option", "Small", bid="17", selected=False),
        node("13", "option", "Large", bid="18", selected=True),
        node("31", "link", "Terms of sale", bid="a3", children="32"),
        node("32", "StaticText", "Terms of sale"),
    ]
}
PROPERTIES = {
    "10": {"visibility": 1.0, "bbox": [8.0, 8.0, 300.4, 30.6], "clickable": False},
    "11": {"visibility": 1.0, "bbox": [8.0, 50.0, 200.0, 20.0], "clickable": True},
    "12": {"visibility": 1.0, "bbox": [8.0, 80.0, 90.0, 20.0], "clickable": False},
    "13": {"visibility": 1.0, "bbox": [120.0, 80.0, 20.0, 20.0], "clickable": True},
    "14": {"visibility": 1.0, "bbox": [8.0, 80.0, 12.0, 12.0], "clickable": True},
    "16": {"visibility": 1.0, "bbox": [8.0, 110.0, 80.0, 20.0], "clickable": True},
    "17": {"visibility": 0.0, "bbox": None, "clickable": False},
    "18": {"visibility": 0.0, "bbox": None, "clickable": False},
    "19": {"visibility": 1.0, "bbox": [8.0, 140.0, 60.0, 20.0], "clickable": True},
    "20": {"visibility": 0.2, "bbox": [8.0, 700.0, 60.0, 40.0], "clickable": True},
    "21": {"visibility": 1.0, "bbox": [8.0, 170.0, 60.0, 20.0], "clickable": True},
    "a3": {"visibility": 1.0, "bbox": [40.0, 210.0, 90.0, 18.0], "clickable": True},
}
ROWS = read_tree(TREE, PROPERTIES, focused="11")


def test_a_tree_becomes_rows_in_the_order_of_the_page():
    assert [(row.element.role, row.element.name, row.element.value, row.bid, row.owner) for row in ROWS] == [
        ("heading", "Order tea", "", "10", ""),
        ("textbox", "Note", "no milk", "11", ""),
        ("checkbox", "Gift wrap", "", "14", ""),
        ("text", "Gift wrap", "", "12", ""),
        ("other", "", "", "13", ""),
        ("combobox", "Size", "Large", "16", ""),
        ("option", "Small", "", "17", "16"),
        ("option", "Large", "", "18", "16"),
        ("button", "Send", "", "19", ""),
        ("listitem", "Green tea", "", "20", ""),
        ("textbox", "Code", "", "21", ""),
        ("link", "Terms of sale", "", "a3", ""),
    ]


def test_flags_and_boxes():
    found = {(row.element.role, row.element.name): row.element for row in ROWS}
    assert found["heading", "Order tea"].flags == {"visible"}
    assert found["textbox", "Note"].flags == {"interactive", "editable", "focused", "visible"}
    assert found["checkbox", "Gift wrap"].flags == {"interactive", "checked", "visible"}
    assert found["option", "Large"].flags == {"interactive", "checked", "visible"}
    assert found["option", "Small"].flags == {"interactive", "visible"}
    assert found["button", "Send"].flags == {"interactive", "disabled", "visible"}
    assert found["textbox", "Code"].flags == {"interactive", "visible"}
    assert found["listitem", "Green tea"].flags == {"interactive"}
    assert found["heading", "Order tea"].box == (8, 8, 300, 31)
    assert found["option", "Small"].box == found["combobox", "Size"].box == (8, 110, 80, 20)


def test_a_deep_page_is_read():
    depth = 5000
    nodes = [node(str(k), "generic", children=str(k + 1)) for k in range(depth)]
    rows = read_tree({"nodes": [*nodes, node(str(depth), "button", "Deep", bid="7")]}, {})
    assert [(row.element.name, row.bid) for row in rows] == [("Deep", "7")]


@pytest.mark.parametrize(
    ("action", "string"),
    [
        (Action("noop"), "noop(0)"),
        (Action("click", 2), "click('14')"),
        (Action("click", 6), "select_option('16', 'Small')"),
        (Action("click", 99), "noop(0)"),
        (Action("fill", 1, "two cups"), "fill('11', 'two cups')"),
        (Action("fill", 10, "locked"), "noop(0)"),
        (Action("drag", 2, target=4), "drag_and_drop('14', '13')"),
        (Action("press", text="Enter"), "keyboard_press('Enter')"),
        (Action("press", text="Control+W"), "noop(0)"),
        (Action("scroll", text="down"), "scroll(0, 576)"),
        (Action("scroll", text="up"), "scroll(0, -576)"),
        (Action("back"), "go_back()"),
        (Action("answer", text="4"), "send_msg_to_user('4')"),
        (Action("answer", 9), "send_msg_to_user('Green tea')"),
        (Action("click_at", point=(3, 5)), "mouse_click(3, 5)"),
        (Action("move_at", point=(3, 5)), "mouse_move(3, 5)"),
        (Action("down_at", point=(3, 5)), "mouse_down(3, 5)"),
        (Action("up_at", point=(3, 5)), "mouse_up(3, 5)"),
        (Action("type", text="it's\n"), 'keyboard_type("it\'s\\n")'),
    ],
)
def test_actions_become_strings(action, string):
    assert action_string(action, ROWS, 720) == string


@given(st.sampled_from(("fill", "type", "answer", "press", "scroll")), st.text())
def test_what_an_agent_says_stays_a_text(kind, text):
    string = action_string(Action(kind, 1 if kind == "fill" else -1, text), ROWS, 720)
    call = ast.parse(string, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    assert call.func.id in CALLS
    values = [ast.literal_eval(argument) for argument in call.args]
    assert kind in ("press", "scroll") or values[-1] == text


class Recorded(gym.Env):
    """Shows the same page, notes what it is told, and ends well on Send."""

    def __init__(self, error: Exception | None = None):
        self.told: list[str] = []
        self.error = error

    def observation(self):
        return {
            "goal": 'Order "green tea" and say "thanks".',
            "url": "http://tea.test/order",
            "open_pages_titles": ("News", "Order"),
            "active_page_index": np.array([1]),
            "axtree_object": TREE,
            "extra_element_properties": PROPERTIES,
            "focused_element_bid": "11",
            "screenshot": np.full((20, 30, 3), 7, np.uint8),
            "last_action_error": "TimeoutError" if self.told and "11" in self.told[-1] else "",
        }

    def reset(self, *, seed=None, options=None):
        self.seeds = [*getattr(self, "seeds", []), seed]
        return self.observation(), {}

    def step(self, action):
        self.told.append(action)
        if self.error is not None:
            raise self.error
        done = action == "send_msg_to_user('thanks')"
        return self.observation(), float(done), done, False, {}


def test_a_wrapped_environment_has_our_spaces():
    env = FromBrowserGym(Recorded(), rows=16, fields=4, asks=True)
    obs, info = env.reset(seed=5)
    assert env.observation_space.contains(obs)
    assert obs["goal"] == 'Order "green tea" and say "thanks".'
    assert obs["text"].splitlines()[:3] == [
        "Order <http://tea.test/order>",
        "[0] heading 'Order tea'",
        "[1] textbox 'Note' = 'no milk' (focused)",
    ]
    assert obs["role"][:3].tolist() == [1 + ROLES.index(role) for role in ("heading", "textbox", "checkbox")]
    assert obs["field_bytes"][0].tobytes().rstrip(b"\0") == b"green tea"
    assert np.flatnonzero(obs["action_mask"][1:17]).tolist() == [1, 2, 4, 5, 6, 7, 9, 10, 11]
    assert set(info) == {"success", "goal", "failure", "action_error"}


def test_steps_are_passed_on_and_cut():
    inner = Recorded()
    env = FromBrowserGym(inner, actions="text", max_steps=3)
    env.reset(seed=5)
    _, reward, terminated, truncated, info = env.step('fill(1, "x")')
    assert (reward, terminated, truncated, info["action_error"]) == (0.0, False, False, "TimeoutError")
    _, _, terminated, truncated, info = env.step("page.close()")
    assert (terminated, truncated) == (False, False)
    assert "an action must be one call" in info["action_error"]
    assert env.step("click(2)")[2:4] == (False, True)
    assert inner.told == ["fill('11', 'x')", "click('14')"]
    env.reset()
    _, reward, terminated, truncated, info = env.step('answer("thanks")')
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)
    assert inner.seeds == [5, None]


def test_a_lost_page_cuts_the_episode():
    env = FromBrowserGym(Recorded(OSError("gone")), failures=(OSError,))
    env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated, info["failure"]) == (0.0, False, True, "page unreadable: gone")


def test_screenshots_have_the_size_that_was_said():
    env = FromBrowserGym(Recorded(), observation=("screenshot",), viewport=(30, 20))
    obs, _ = env.reset(seed=0)
    assert env.observation_space.contains(obs)
    assert (obs["screenshot"] == 7).all()
    with pytest.raises(ValueError, match=r"30x20: say viewport=\(30, 20\)"):
        FromBrowserGym(Recorded(), observation=("screenshot",)).reset(seed=0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="max_steps must be at least 1, got 0"):
        FromBrowserGym(Recorded(), max_steps=0)
    with pytest.raises(ValueError, match="info_keys must be among"):
        FromBrowserGym(Recorded(), info_keys=("potential",))
    with pytest.raises(RuntimeError, match="call reset"):
        FromBrowserGym(Recorded()).step(0)


def test_our_ids_are_registered_without_browsergym():
    register()
    register()
    for task in TASKS:
        spec = gym.spec(f"browsergym/potentia.{task}")
        assert spec.kwargs == {"task": task}
        assert spec.max_episode_steps >= 4


@pytest.mark.skipif(find_spec("browsergym") is not None, reason="BrowserGym is installed")
def test_without_browsergym_it_says_what_to_install():
    with pytest.raises(ImportError, match=r"potentia\[browsergym\]"):
        from_browsergym(Recorded())
    register()
    with pytest.raises(ImportError, match=r"potentia\[browsergym\]"):
        gym.make("browsergym/potentia.ShopBuy")
    with pytest.raises(ImportError, match=r"potentia\[browsergym\]"):
        import_module("potentia.envs.web.browsergym.benchmark")


@pytest.fixture
def browser(chromium):
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


def test_the_reference_solutions_play_on_a_synchronous_page(browser):
    for name in ("ShopBuy", "ShopReview", "ShopPrice"):
        task, messages = (
            PotentiaTask(3, name),
            [{"role": "assistant", "message": "Hello!"}, {"role": "user", "message": "Do it."}],
        )
        page = browser.new_context(proxy=task.proxy).new_page()
        goal, info = task.setup(page)
        assert goal == task.task.goal
        assert info == {"success": False, "potential": -1.0, "blocked": 0}
        assert task.validate(page, messages) == (0.0, False, "", info)
        task.cheat(page, messages)
        assert task.validate(page, messages) == (1.0, True, "", {"success": True, "potential": 0.0, "blocked": 0})
        assert (messages[-1]["role"] == "assistant") == task.task.asks
        task.teardown()


def test_a_wrong_answer_ends_a_question(browser):
    task = PotentiaTask(3, "ShopPrice")
    page = browser.new_context(proxy=task.proxy).new_page()
    task.setup(page)
    reward, done, _, info = task.validate(page, [{"role": "assistant", "message": "No idea"}])
    assert (reward, done, info["success"]) == (0.0, True, False)
    task.teardown()


def test_a_page_sees_what_ours_sees(browser):
    env = WebEnv("MiniWoB-click-checkboxes", observation=("goal", "text"))
    obs, _ = env.reset(seed=11)
    task = PotentiaTask(11, "MiniWoB-click-checkboxes")
    page = browser.new_context(proxy=task.proxy, viewport=task.viewport).new_page()
    goal, _ = task.setup(page)
    assert goal == obs["goal"]
    assert page_text(task.see(page)) == obs["text"]
    with pytest.raises(NotImplementedError, match="no reference solution"):
        task.cheat(page, [])
    task.teardown()
    env.close()


def test_a_page_reaches_its_own_hosts_only(browser):
    task = PotentiaTask(0, "ShopBuy")
    page = browser.new_context(proxy=task.proxy).new_page()
    task.setup(page)
    page.goto("http://127.0.0.1:8000/")
    assert page.inner_text("body") == "This page can't be reached from here."
    assert task.validate(page, [])[3]["blocked"] == 1
    with pytest.raises(RuntimeError, match=r"proxy=task\.proxy"):
        task.setup(browser.new_context().new_page())
    task.teardown()


@pytest.fixture
def system_browser(monkeypatch, chromium):
    """BrowserGym's chat takes no browser's path, so its launches are redirected."""
    launch = BrowserType.launch

    def with_ours(self, **options):
        return launch(self, **{**options, "executable_path": chromium})

    monkeypatch.setattr(BrowserType, "launch", with_ours)


@needs_browsergym
@pytest.mark.usefixtures("system_browser")
@pytest.mark.parametrize("task", ["ShopBuy", "ShopPrice"])
def test_our_tasks_are_solved_in_browsergym(task):
    register()
    env = gym.make(f"browsergym/potentia.{task}", pre_observation_delay=0, disable_env_checker=True)
    try:
        obs, info = env.reset(seed=0)
        assert obs["goal"] == env.unwrapped.task.task.goal
        assert info["task_info"] == {"success": False, "potential": -1.0, "blocked": 0}
        _, reward, terminated, _, _ = env.step("noop(0)")
        assert (reward, terminated) == (0.0, False)
        env.unwrapped.task.cheat(env.unwrapped.page, env.unwrapped.chat.messages)
        _, reward, terminated, _, info = env.step("noop(0)")
        assert (reward, terminated, info["task_info"]["potential"]) == (1.0, True, 0.0)
    finally:
        env.close()


@needs_browsergym
@pytest.mark.usefixtures("system_browser")
def test_pages_reach_nothing_else_in_browsergym():
    register()
    env = gym.make("browsergym/potentia.ShopBuy", pre_observation_delay=0, disable_env_checker=True)
    try:
        env.reset(seed=0)
        obs, _, _, _, info = env.step("goto('http://127.0.0.1:8000/')")
        assert info["task_info"]["blocked"] >= 1
        assert obs["url"] == "http://127.0.0.1:8000/"
        assert any("can't be reached" in row.element.name for row in read_tree(obs["axtree_object"], {}))
    finally:
        env.close()


@needs_browsergym
@pytest.mark.usefixtures("system_browser")
def test_a_benchmark_makes_its_environments_in_any_process(tmp_path):
    benchmark = import_module("potentia.envs.web.browsergym.benchmark")
    made = benchmark.make_benchmark(suite(app="notes", difficulty="easy"), seeds=(0, 7))
    assert len(made.env_args_list) == 2 * len(suite(app="notes", difficulty="easy"))
    for name in [key for key in registry if key.startswith("browsergym/potentia.")]:
        del registry[name]  # as in another process
    args = pickle.loads(pickle.dumps(made.env_args_list[1]))
    env = args.make_env(made.high_level_action_set_args.make_action_set().to_python_code, tmp_path)
    try:
        obs, _ = env.reset(seed=args.task_seed)
        task = AppTask("NotesCreate")
        task.begin(7, 0)
        assert (args.task_name, args.max_steps) == ("potentia.NotesCreate", task.budget)
        assert obs["goal"] == task.goal
        for _ in range(args.max_steps):
            _, reward, terminated, truncated, _ = env.step("noop()")
        assert (reward, terminated, truncated) == (0.0, False, True)
    finally:
        env.close()
    with pytest.raises(ValueError, match="no web task 'NotesCreated'"):
        benchmark.make_benchmark(["NotesCreated"])
    with pytest.raises(ValueError, match=r"tasks=\[\]"):
        benchmark.make_benchmark([])


@needs_browsergym
@pytest.mark.usefixtures("system_browser")
def test_our_tasks_come_back_through_the_wrapper():
    register()
    made = gym.make("browsergym/potentia.MiniWoB-enter-text", pre_observation_delay=0, disable_env_checker=True)
    env = from_browsergym(made, viewport=(160, 210))
    try:
        obs, _ = env.reset(seed=0)
        assert env.observation_space.contains(obs)
        (box,), (button,) = (np.flatnonzero(obs["role"] == 1 + ROLES.index(role)) for role in ("textbox", "button"))
        assert obs["action_mask"][1 + 64 + 6 * box] == obs["action_mask"][1 + button] == 1
        obs, reward, terminated, _, info = env.step(1 + 64 + 6 * box)
        assert (reward, terminated, info["action_error"]) == (0.0, False, "")
        assert obs["value_bytes"][box].tobytes() == obs["field_bytes"][0].tobytes()
        _, reward, terminated, _, info = env.step(1 + button)
        assert (reward, terminated, info["success"]) == (1.0, True, True)
    finally:
        env.close()
