"""The plugin NAME: change its node type, and add others. `fanlight_plugin.py` explains how."""

from typing import Annotated, TypedDict

from fanlight_plugin import node, progress, run


class Repeated(TypedDict):
    text: Annotated[str, "The repeated text."]


@node("NAME.repeat", effects="none")
def repeat(
    text: Annotated[str, "The text."],
    times: Annotated[int, "How often it is repeated.", {"min": 1, "max": 1000}] = 2,
) -> Repeated:
    """Repeats a text."""
    parts = []
    for done in range(times):
        parts.append(text)
        # This also ends the function when the node is cancelled.
        progress((done + 1) / times)
    return {"text": " ".join(parts)}


run("NAME")
