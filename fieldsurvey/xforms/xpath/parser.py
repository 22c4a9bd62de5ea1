"""Tokens to syntax tree: precedence climbing, at most three stack frames for each level of brackets, bounded depth.

It knows the grammar and no function: names and arities are the compiler's business.
"""

from __future__ import annotations

from functools import lru_cache

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.ast import (
    AXES,
    NODE_TYPES,
    OPERATORS,
    Binary,
    Chain,
    Expr,
    FunctionCall,
    Literal,
    NameTest,
    Number,
    Path,
    Step,
    TypeTest,
    Unary,
    Variable,
)
from fieldsurvey.xforms.xpath.errors import XPathSyntaxError
from fieldsurvey.xforms.xpath.lexer import Token, tokenize

MAX_DEPTH = 160
"""Brackets and calls inside one another; a predicate counts threefold, as it takes that much more stack."""

_UNARY = 7
_NODE = TypeTest("node")
_STEP_STARTS = frozenset({"name", ".", "..", "@"})


class _Parser:
    __slots__ = ("depth", "index", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0

    def fail(self, expected: str) -> XPathSyntaxError:
        return XPathSyntaxError(self.tokens[self.index][2], expected)

    def take(self, kind: str, expected: str) -> Token:
        token = self.tokens[self.index]
        if token[0] != kind:
            raise self.fail(expected)
        self.index += 1
        return token

    def expression(self, lowest: int = 1) -> Expr:
        """Operands joined by operators that bind at least as strongly as `lowest`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(_("brackets are nested too deeply"))
        # (precedence, first operand, [(operator, operand) …]) of the levels that are still open, loosest first
        levels: list[tuple[int, Expr, list[tuple[str, Expr]]]] = []
        left = self.operand()
        while True:
            kind, word, _offset = self.tokens[self.index]
            precedence = OPERATORS[word] if kind == "operator" else 0
            while levels and levels[-1][0] > precedence:
                _level, first, rest = levels.pop()
                rest[-1] = (rest[-1][0], left)
                left = _joined(first, rest)
            if precedence < lowest:
                break
            self.index += 1
            if levels and levels[-1][0] == precedence:
                rest = levels[-1][2]
                rest[-1] = (rest[-1][0], left)
                rest.append((word, left))
            else:
                levels.append((precedence, left, [(word, left)]))
            left = self.operand()
        self.depth -= 1
        return left

    def operand(self) -> Expr:
        """Minus signs, then a literal, a call, a bracket or a path."""
        kind, word, at = self.tokens[self.index]
        if kind == "operator" and word == "-":
            return self.negated()
        if kind == "number":
            start: Expr = Number(float(word), at)
            self.index += 1
        elif kind == "literal":
            start = Literal(word[1:-1], at)
            self.index += 1
        elif kind == "(":
            self.index += 1
            start = self.expression()
            self.take(")", _("a closing bracket was expected"))
        elif kind == "name" and self.tokens[self.index + 1][0] == "(" and word not in NODE_TYPES:
            start = self.call(word, at)
        elif kind == "variable":
            start = Variable(word[1:], at)
            self.index += 1
        else:
            return self.path()
        after = self.tokens[self.index][0]
        if after in {"[", "/", "//"}:
            return self.filtered(start, at)
        return start

    def negated(self) -> Expr:
        """A run of minus signs is read without recursion; each one is kept."""
        signs = []
        while self.tokens[self.index][:2] == ("operator", "-"):
            signs.append(self.tokens[self.index][2])
            self.index += 1
        if len(signs) > MAX_DEPTH:
            raise XPathSyntaxError(signs[0], _("there are too many minus signs"))
        operand = self.operand()
        while self.tokens[self.index][:2] == ("operator", "|"):
            self.index += 1
            operand = Binary("|", operand, self.operand(), operand.at)
        for at in reversed(signs):
            operand = Unary(operand, at)
        return operand

    def call(self, name: str, at: int) -> FunctionCall:
        if name.endswith("*"):
            raise self.fail(_("a function's name was expected"))
        self.index += 2
        args: list[Expr] = []
        if self.tokens[self.index][0] != ")":
            args.append(self.expression())
            while self.tokens[self.index][0] == ",":
                self.index += 1
                args.append(self.expression())
        self.take(")", _("a comma or a closing bracket was expected"))
        return FunctionCall(name, tuple(args), at)

    def filtered(self, start: Expr, at: int) -> Path:
        predicates = self.predicates()
        steps: list[Step] = []
        if self.tokens[self.index][0] in {"/", "//"}:
            if isinstance(start, Number | Literal):
                raise self.fail(_("a number or a text has no steps"))
            self.steps(steps)
        if isinstance(start, Path) and not start.steps and not predicates and start.absolute:
            return Path(True, tuple(steps), None, (), at)
        return Path(False, tuple(steps), start, predicates, at)

    def path(self) -> Path:
        kind, _word, at = self.tokens[self.index]
        steps: list[Step] = []
        if kind in {"/", "//"}:
            if kind == "/" and self.tokens[self.index + 1][0] not in _STEP_STARTS:
                self.index += 1
                return Path(True, (), None, (), at)
            self.steps(steps)
            return Path(True, tuple(steps), None, (), at)
        if kind not in _STEP_STARTS:
            raise self.fail(_("a value, a path or an opening bracket was expected"))
        steps.append(self.step())
        self.steps(steps)
        return Path(False, tuple(steps), None, (), at)

    def steps(self, steps: list[Step]) -> None:
        """`/step` and `//step` as long as they follow."""
        tokens = self.tokens
        while True:
            kind, _word, at = tokens[self.index]
            if kind == "//":
                steps.append(Step("descendant-or-self", _NODE, (), at))
            elif kind != "/":
                return
            self.index += 1
            if tokens[self.index][0] not in _STEP_STARTS:
                raise self.fail(_("the name of a node was expected"))
            steps.append(self.step())

    def step(self) -> Step:
        kind, word, at = self.tokens[self.index]
        self.index += 1
        if kind == ".":
            return Step("self", _NODE, (), at)
        if kind == "..":
            return Step("parent", _NODE, (), at)
        axis = "child"
        if kind == "@":
            axis = "attribute"
            kind, word, _at = self.take("name", _("the name of an attribute was expected"))
        elif self.tokens[self.index][0] == "::":
            if word not in AXES:
                raise XPathSyntaxError(at, _("this is not an axis"))
            axis = word
            self.index += 1
            kind, word, _at = self.take("name", _("the name of a node was expected"))
        test = self.node_test(word)
        return Step(axis, test, self.predicates() if self.tokens[self.index][0] == "[" else (), at)

    def node_test(self, word: str) -> NameTest | TypeTest:
        if self.tokens[self.index][0] == "(":
            if word not in NODE_TYPES:
                raise self.fail(_("a function cannot stand where a node's name is due"))
            self.index += 1
            target = None
            if word == "processing-instruction" and self.tokens[self.index][0] == "literal":
                target = self.tokens[self.index][1][1:-1]
                self.index += 1
            self.take(")", _("a closing bracket was expected"))
            return TypeTest(word, target)
        prefix, colon, local = word.partition(":")
        return NameTest(local, prefix) if colon else NameTest(word)

    def predicates(self) -> tuple[Expr, ...]:
        found: list[Expr] = []
        self.depth += 2
        while self.tokens[self.index][0] == "[":
            self.index += 1
            found.append(self.expression())
            self.take("]", _("a closing square bracket was expected"))
        self.depth -= 2
        return tuple(found)


def _joined(first: Expr, rest: list[tuple[str, Expr]]) -> Expr:
    if len(rest) == 1:
        op, right = rest[0]
        return Binary(op, first, right, first.at)
    return Chain(first, tuple(rest), first.at)


@lru_cache(maxsize=8192)
def parse(text: str) -> Expr:
    """The tree of `text` (trees are immutable and shared between equal texts).

    Raises XPathSyntaxError with the position and what was expected; also for an empty text and beyond the bounds.
    """
    parser = _Parser(tokenize(text))
    if parser.tokens[0][0] == "end":
        raise XPathSyntaxError(0, _("there is nothing to read"))
    expr = parser.expression()
    if parser.tokens[parser.index][0] != "end":
        raise parser.fail(_("an operator or the end was expected"))
    return expr
