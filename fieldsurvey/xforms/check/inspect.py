"""Controls of an XForm in the words of XLSForm."""

from __future__ import annotations

from collections.abc import Iterator

from fieldsurvey.xforms.check import features
from fieldsurvey.xforms.check.features import FULL, Way, of_appearance
from fieldsurvey.xforms.definition.model import Control
from fieldsurvey.xforms.live.datatypes import kind_of

_KINDS = {
    "select": "select_multiple",
    "select1": "select_one",
    "rank": "rank",
    "trigger": "acknowledge",
    "range": "range",
}
_BODY = {"accuracythreshold": "body::accuracythreshold", "intent": "body::intent", "autoplay": "autoplay"}


def control_type(control: Control) -> str:
    """The type that a workbook would give it: `select_one`, `integer`, `image`, `begin_group` …"""
    if control.kind in {"group", "repeat"}:
        return f"begin_{control.kind}"
    if control.kind in _KINDS:
        return _KINDS[control.kind]
    if control.kind == "upload":
        media = control.parameters.get("mediatype", "").partition("/")[0]
        return media if media in {"image", "audio", "video", "osm"} else "file"
    kind = kind_of(control.ref) if control.ref is not None else "string"
    return {"string": "text", "binary": "file"}.get(kind, kind)


def control_features(control: Control) -> Iterator[tuple[str, Way]]:
    """The features of a control and how each runs."""
    kind = control_type(control)
    yield kind, features.TYPES.get(kind, FULL)
    text = " ".join(control.appearance)
    for word, way in of_appearance(text):
        yield f"appearance {word}", way
    for name in control.parameters:
        plain = name.lower()
        if plain in _BODY:
            yield name, features.COLUMNS[_BODY[plain]]
        elif plain in features.PARAMETERS:
            yield name, features.PARAMETERS[plain]
    bind = control.ref.bind if control.ref is not None else None
    for name in bind.extra if bind is not None else ():
        plain = name.rpartition(":")[2].lower()
        if plain in features.PARAMETERS:
            yield name, features.PARAMETERS[plain]
