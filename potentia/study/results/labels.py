"""Short names that tell configurations apart."""

from __future__ import annotations

import json
from collections.abc import Mapping

from potentia.study.results.files import Json


def distinct_labels(configs: list[Json], kind: str) -> list[str]:
    """A short label for each configuration. Labels are equal exactly for equal configurations.

    The label is the configuration's `name` or else its `kind` without namespace and version. Where two
    different configurations would share it, the settings in which they differ are added.
    """
    base = [_short(str(c.get("name") or c.get(kind, "?"))) for c in configs]
    settings = [_flat({k: v for k, v in c.items() if k != "name"}) for c in configs]
    labels = []
    for label, own in zip(base, settings, strict=True):
        rivals = [s for other, s in zip(base, settings, strict=True) if other == label]
        keys = sorted({k for s in rivals for k in s if any(r.get(k) != s.get(k) for r in rivals)})
        extra = ", ".join(f"{k.rsplit('.', 1)[-1]}={own.get(k, 'default')}" for k in keys)
        labels.append(f"{label} ({extra})" if extra else label)
    return labels


def _short(identifier: str) -> str:
    """`potentia/DeepSea-v0` and `DeepSea-v0` are both called `DeepSea`."""
    stem, _, version = identifier.removeprefix("potentia/").rpartition("-v")
    return stem if stem and version.isdigit() else identifier.removeprefix("potentia/")


def _flat(value: Json, prefix: str = "") -> dict[str, str]:
    """Nested settings as dotted keys with printable values."""
    flat: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            flat.update(_flat(item, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = json.dumps(item, default=str).strip('"')
    return flat
