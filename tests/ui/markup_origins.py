"""Whether an expression can hold words from outside: a look at source text, not at types.

Ours are constants, the catalogue's sentences without values, figures, and what a function
annotated ``-> Markdown`` (or ``-> Html``) returns; mypy holds such functions to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: Figures as people read them: digits, signs and units only.
_HARMLESS: Final = ("size", "seconds", "change", "moment", "len", "int", "float")
_NUMBER_SPEC: Final = re.compile(r",|[+,]*(\.\d+)?[dfg%]|%.*")
_NUMBER_TYPES: Final = ("int", "float", "bool", "datetime")
#: Expressions that are ours if these parts of them are.
_PARTS: Final[Mapping[type[ast.AST], Callable[[ast.AST], Sequence[ast.AST]]]] = {
    ast.Constant: lambda node: (),
    ast.Compare: lambda node: (),
    ast.JoinedStr: lambda node: node.values,
    ast.Lambda: lambda node: (node.body,),
    ast.Dict: lambda node: node.values,
    ast.DictComp: lambda node: (node.value,),
    ast.ListComp: lambda node: (node.elt,),
    ast.SetComp: lambda node: (node.elt,),
    ast.GeneratorExp: lambda node: (node.elt,),
    ast.Subscript: lambda node: (node.value,),
    ast.Starred: lambda node: (node.value,),
    ast.NamedExpr: lambda node: (node.value,),
    ast.IfExp: lambda node: (node.body, node.orelse),
    ast.BoolOp: lambda node: node.values,
    ast.List: lambda node: node.elts,
    ast.Tuple: lambda node: node.elts,
}
_COMPREHENSIONS: Final = (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)

#: What functions are annotated to return, by module and name.
Returns = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Source:
    """A module's text."""

    path: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its whole name, with its packages."""
        return ".".join(Path(self.path).with_suffix("").parts)


def returns(sources: Sequence[Source]) -> Returns:
    """Return what the functions of all modules say that they return."""
    return {
        (source.name, each.name): ast.unparse(each.returns)
        for source in sources
        for each in ast.walk(source.tree)
        if isinstance(each, ast.FunctionDef) and each.returns is not None
    }


@dataclass
class Origins:
    """Where the expressions of one module come from."""

    source: Source
    returns: Returns
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Names whose values are being looked at: one that is made of itself adds nothing.
    looked_at: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node in ast.walk(self.source.tree):
            self.parents.update(dict.fromkeys(ast.iter_child_nodes(node), node))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("glmtts_core"):
                self.imported |= {
                    each.asname or each.name: (str(node.module), each.name) for each in node.names
                }

    def ours(self, node: ast.AST, kind: str) -> bool:
        """Whether nothing from outside can be in what ``node`` yields, unless it was disarmed."""
        if type(node) in _PARTS:
            return all(self.ours(each, kind) for each in _PARTS[type(node)](node))
        return self._other_is_ours(node, kind)

    def _other_is_ours(self, node: ast.AST, kind: str) -> bool:
        match node:
            case ast.FormattedValue():
                spec = "" if node.format_spec is None else ast.unparse(node.format_spec)[2:-1]
                return bool(_NUMBER_SPEC.fullmatch(spec)) or self.ours(node.value, kind)
            case ast.Name(id=name):
                return name.isupper() or self._name_is_ours(node, kind)
            case ast.Attribute(attr=name, value=table):
                return name.isupper() or (name == "__getitem__" and self.ours(table, kind))
            case ast.Call():
                return self._call_is_ours(node, kind)
            case ast.BinOp():
                return self._sum_is_ours(node, kind)
            case _:
                return False

    def _sum_is_ours(self, node: ast.BinOp, kind: str) -> bool:
        match node.op:
            case ast.Add():
                return self.ours(node.left, kind) and self.ours(node.right, kind)
            case ast.Mult():
                return self.ours(node.left, kind)
        # "%" puts words into words; the others only know numbers
        return not isinstance(node.op, ast.Mod)

    def _call_is_ours(self, node: ast.Call, kind: str) -> bool:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == kind and isinstance(function, ast.Name):
            return True  # its argument is looked at where it stands
        if name in _HARMLESS:
            return True
        if name == "text" and kind == "Markdown" and self._is_catalogue(function):
            return not node.keywords  # the catalogue's own words
        if name == "join" and isinstance(function, ast.Attribute):
            return self.ours(function.value, kind) and self.ours(node.args[0], kind)
        return self._returns(function, kind)

    def _is_catalogue(self, function: ast.AST) -> bool:
        shown = ast.unparse(function)
        return shown in ("page.text", "self.page.text") or (
            shown == "text" and self.imported.get("text") == ("glmtts_core.catalogue", "text")
        )

    def _returns(self, function: ast.AST, kind: str) -> bool:
        """Whether a function is annotated to return what is finished."""
        module = self.source.name
        match function:
            case ast.Name(id=name):
                module, name = self.imported.get(name, (module, name))
            case ast.Attribute(value=ast.Name(id="page"), attr=name):
                module = "glmtts_core.ui.page"
            case ast.Attribute(value=ast.Attribute(attr="page"), attr=name):
                module = "glmtts_core.ui.page"
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                pass
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self.imported:
                module = ".".join(self.imported[owner])
            case _:
                return False
        return kind in re.findall(r"\w+", self.returns.get((module, name), ""))

    def _name_is_ours(self, node: ast.Name, kind: str) -> bool:
        if self._returns(node, kind) or node.id in self.looked_at:
            return True  # a function that is handed on, or a name that is made of itself
        self.looked_at.add(node.id)
        try:
            return self._every_value_is_ours(node, kind)
        finally:
            self.looked_at.discard(node.id)

    def _every_value_is_ours(self, node: ast.Name, kind: str) -> bool:
        scope: ast.AST = node
        while scope in self.parents:
            scope = self.parents[scope]
            found = list(self._bound(scope, node.id, kind))
            if found:
                return all(found)
        return False

    def _bound(self, scope: ast.AST, name: str, kind: str) -> Iterator[bool]:
        """Tell of every place in ``scope`` that gives ``name`` a value whether it is ours."""
        if isinstance(scope, _COMPREHENSIONS):
            for loop in scope.generators:
                if name in _names(loop.target):
                    yield self._element_is_ours(loop.target, loop.iter, name, kind)
        elif isinstance(scope, ast.Lambda | ast.FunctionDef):
            yield from self._as_argument(scope.args, name, kind)
        if isinstance(scope, ast.FunctionDef | ast.Module):
            for each in _own_nodes(scope):
                yield from self._as_value(each, name, kind)

    @staticmethod
    def _as_argument(arguments: ast.arguments, name: str, kind: str) -> Iterator[bool]:
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if each.arg == name:
                said = ast.unparse(each.annotation) if each.annotation else ""
                yield said in _NUMBER_TYPES or kind in re.findall(r"\w+", said)

    def _as_value(self, node: ast.AST, name: str, kind: str) -> Iterator[bool]:
        match node:
            case ast.Assign(targets=targets, value=value):
                given = [(target, value) for target in targets]
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr():
                given = [(node.target, node.value)] if node.value is not None else []
            case ast.For():
                given = [(node.target, node.iter)]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append")):
                given = [(node.func.value, node.args[0])] if owner == name else []
            case _:
                return
        for target, value in given:
            if name in _names(target):
                yield self._element_is_ours(target, value, name, kind)

    def _element_is_ours(self, target: ast.AST, value: ast.AST, name: str, kind: str) -> bool:
        """Whether ``name``, which gets ``value`` or one of its elements, is ours."""
        if not isinstance(target, ast.Tuple):
            return self.ours(value, kind)
        at = next(at for at, each in enumerate(target.elts) if name in _names(each))
        match value:
            case ast.Call(func=ast.Name(id="enumerate")):
                counted = value.args[0]
                return at == 0 or self._element_is_ours(target.elts[at], counted, name, kind)
            case ast.Call(func=ast.Name(id="zip")):
                return self._element_is_ours(target.elts[at], value.args[at], name, kind)
            case ast.List() | ast.Tuple() if all(isinstance(e, ast.Tuple) for e in value.elts):
                return all(self.ours(each.elts[at], kind) for each in value.elts)
        return self.ours(value, kind)


def _names(target: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Give what stands in a function or module itself, not in the functions inside of it."""
    for each in ast.iter_child_nodes(scope):
        if not isinstance(each, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield each
            yield from _own_nodes(each)
