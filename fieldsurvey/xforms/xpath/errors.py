"""What the XPath room refuses.

InputError
├── XPathSyntaxError     the text is not XPath, or beyond the bounds
├── XPathNameError       an unknown function, a wrong number of arguments, a variable
├── EvaluationError      a value that cannot be worked out; the engine keeps it at the node
└── XmlError             XML that is malformed, has a DTD, or is beyond the bounds
"""

from __future__ import annotations

from typing import Any

from fieldsurvey.base.errors import InputError


class XPathSyntaxError(InputError):
    """The text does not parse. `position` counts characters from 0; `expected` says what could have stood there."""

    code = "xpath.syntax"
    template = "The expression cannot be read at character {character}: {expected}."
    hint = "Nothing was changed. Look just before that character for a missing bracket, quote, comma or operator."

    def __init__(self, position: int, expected: str, **details: Any) -> None:
        super().__init__(character=position + 1, expected=expected, **details)
        self.position = position
        self.expected = expected


class XPathNameError(InputError):
    """Refused when compiling: unknown function, wrong number of arguments, variable, unusable argument."""

    code = "xpath.name"
    template = "The expression cannot be used (character {character}): {reason}."
    hint = "Nothing was changed. docs/xpath.md lists every function with its arguments."

    def __init__(self, position: int, reason: str, **details: Any) -> None:
        super().__init__(character=position + 1, reason=reason, **details)
        self.position = position
        self.reason = reason


class EvaluationError(InputError):
    """Raised while evaluating; the engine turns it into a violation at the node. `reason` never holds an answer."""

    code = "xpath.evaluation"
    template = "The expression has no value here: {reason}."
    hint = "The answers are safe. The form's author has to mend this expression."

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason=reason, **details)
        self.reason = reason


class XmlError(InputError):
    """XML that is malformed, declares a DTD or entities, or is beyond the bounds."""

    code = "xml"
    template = "The XML cannot be used: {reason}."
    hint = "Nothing was changed."

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason=reason, **details)
        self.reason = reason
