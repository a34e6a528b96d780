"""Versions: pinned exactly where we name them, listed where they come along, as they were resolved."""

import json
import re

from finding import Finding


def listed(text):
    """`name version` a line; `#` begins a comment."""
    found = {}
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if len(words) == 2:
            found[words[0]] = words[1]
    return found


def pinned(manifest):
    """What a Package.swift names, by itself or by its function `shared`, by the last part of its address, in
    lower case; an empty version if it is not exact."""
    found = {}
    named = r"(?:\.package|\bshared)\(\s*url:\s*\"([^\"]+)\",\s*([^)]*)\)"
    for url, requirement in re.findall(named, manifest):
        name = url.rsplit("/", 1)[-1].removesuffix(".git").lower()
        exact = re.search(r"exact:\s*\"([^\"]+)\"", requirement)
        found[name] = exact.group(1) if exact else ""
    return found


def resolved(text):
    """What SwiftPM checked out, by the workspace-state.json of a build folder."""
    found = {}
    for dependency in json.loads(text)["object"]["dependencies"]:
        version = dependency["state"].get("checkoutState", {}).get("version", "")
        found[dependency["packageRef"]["identity"].lower()] = version
    return found


def manifest(path, text, versions):
    for name, version in pinned(text).items():
        if not version:
            yield Finding("pin", path, 0, name, 0, "is not pinned by exact:")
        elif versions.get(name) != version:
            yield Finding(
                "pin", path, 0, name, 0,
                f"is {version} here and {versions.get(name)} in scripts/dependencies.txt")


def drift(versions, text):
    """`text`: a workspace-state.json."""
    now = resolved(text)
    for name in sorted(versions.keys() | now.keys()):
        if versions.get(name) != now.get(name):
            yield Finding(
                "drift", "scripts/dependencies.txt", 0, name, 0,
                f"listed as {versions.get(name)} and resolved as {now.get(name)}: make update-dependencies")
