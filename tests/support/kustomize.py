"""Render a folder as `kubectl kustomize` does. Only the fields that deploy/kubernetes uses are supported.

A generated ConfigMap has no hash at the end of its name.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

Object = dict[str, Any]
"""An object of Kubernetes."""

FIELDS = {"apiVersion", "kind", "resources", "components", "patches", "configMapGenerator", "images"}


def render(folder: Path) -> list[Object]:
    """Return the objects that a folder's kustomization.yaml produces."""
    return _render(folder, [])


def key(thing: Object) -> tuple[str, str]:
    """Return kind and name, which are unique in one namespace."""
    return thing["kind"], thing["metadata"]["name"]


def _render(folder: Path, objects: list[Object]) -> list[Object]:
    """Return the objects of a folder, added to `objects`. These come from the kustomization that uses the folder."""
    given = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    if unknown := set(given) - FIELDS:
        raise ValueError(f"{folder}: {', '.join(sorted(unknown))}")
    for name in given.get("resources", []):
        path = folder / name
        objects = [*objects, *(_render(path, []) if path.is_dir() else _read(path))]
    for each in given.get("configMapGenerator", []):
        objects = _generate(each, objects)
    for name in given.get("components", []):
        objects = _render(folder / name, objects)
    for patch in given.get("patches", []):
        for change in _read(folder / patch["path"]):
            objects = _patch(change, objects)
    for image in given.get("images", []):
        objects = [_with_image(each, image["name"], image["newName"]) for each in objects]
    if len({key(each) for each in objects}) != len(objects):
        raise ValueError(f"{folder}: two objects have the same kind and name")
    return objects


def _read(path: Path) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _generate(given: dict[str, Any], objects: list[Object]) -> list[Object]:
    data = dict(literal.split("=", 1) for literal in given["literals"])
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": given["name"]}, "data": data}
    return _patch(made, objects) if given.get("behavior") == "merge" else [*objects, made]


def _patch(change: Object, objects: list[Object]) -> list[Object]:
    """Apply a patch to the one object with the patch's kind and name."""
    if sum(key(each) == key(change) for each in objects) != 1:
        raise ValueError(f"a patch fits no object: {key(change)}")
    return [_merged(each, change) if key(each) == key(change) else each for each in objects]


def _merged(old: Any, new: Any) -> Any:
    """Merge two values as a strategic merge patch does.

    Merge mappings by key, and lists of objects by their names. Null removes a key. Any other value replaces the old
    one.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        both = {name: _merged(old.get(name), value) for name, value in new.items() if value is not None}
        return {name: value for name, value in old.items() if name not in new} | both
    if isinstance(old, list) and old and all(isinstance(each, dict) and "name" in each for each in [*old, *new]):
        by_name = {each["name"]: each for each in old}
        for each in new:
            by_name[each["name"]] = _merged(by_name.get(each["name"]), each)
        return list(by_name.values())
    return deepcopy(new)


def _with_image(thing: Object, name: str, new_name: str) -> Object:
    if thing["kind"] != "Deployment":
        return thing
    changed = deepcopy(thing)
    for container in changed["spec"]["template"]["spec"]["containers"]:
        image, _, tag = container["image"].rpartition(":")
        if image == name:
            container["image"] = f"{new_name}:{tag}"
    return changed
