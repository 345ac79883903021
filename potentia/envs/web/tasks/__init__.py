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

__all__ = ["TEMPLATES"]

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
