"""Tasks on the applications: templates, their registry, and the episodes drawn from them."""

from __future__ import annotations

from potentia.envs.web.tasks.admin import ADMIN_TEMPLATES
from potentia.envs.web.tasks.calendar import CALENDAR_TEMPLATES
from potentia.envs.web.tasks.composite import COMPOSITE_TEMPLATES
from potentia.envs.web.tasks.mail import MAIL_TEMPLATES
from potentia.envs.web.tasks.notes import NOTES_TEMPLATES
from potentia.envs.web.tasks.shop import SHOP_TEMPLATES
from potentia.envs.web.tasks.template import Template
from potentia.envs.web.tasks.tracker import TRACKER_TEMPLATES

__all__ = ["TEMPLATES", "suite"]

TEMPLATES: dict[str, type[Template]] = {
    template.name: template
    for template in (
        *SHOP_TEMPLATES,
        *MAIL_TEMPLATES,
        *CALENDAR_TEMPLATES,
        *NOTES_TEMPLATES,
        *TRACKER_TEMPLATES,
        *ADMIN_TEMPLATES,
        *COMPOSITE_TEMPLATES,
    )
}
"""Every task by name."""


def suite(*, difficulty: str | None = None, app: str | None = None, tag: str | None = None) -> tuple[str, ...]:
    """The names of the tasks of a difficulty ("easy", "medium", "hard"), application and tag. None stands for any.

    >>> suite(difficulty="hard", app="shop")
    ('ShopBuyTwo', 'OrderFromNote')

    Raises:
        ValueError: If there is none. The message says what there is.
    """
    found = tuple(
        name
        for name, template in TEMPLATES.items()
        if difficulty in (None, template.difficulty)
        and (app is None or any(app == other.name for other in template.apps))
        and (tag is None or tag in template.tags)
    )
    if not found:
        apps = sorted({other.name for template in TEMPLATES.values() for other in template.apps})
        tags = sorted({word for template in TEMPLATES.values() for word in template.tags})
        raise ValueError(
            f"no task has difficulty={difficulty!r}, app={app!r} and tag={tag!r}: difficulties are easy, medium and "
            f"hard, applications {', '.join(apps)}, tags {', '.join(tags)}"
        )
    return found
