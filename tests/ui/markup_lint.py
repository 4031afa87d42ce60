"""Finds outside words on their way into Streamlit's Markdown or into HTML, in source text.

A place that renders Markdown takes what is provably ours: constants, the catalogue's sentences
without values, figures, and what a function annotated ``-> Markdown`` returns (mypy holds it to
that). The same for HTML and ``-> Html``. What the reader of the code would have to trust is told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: Functions of Streamlit, and which of their positional arguments are Markdown.
PLACES: Final[dict[str, tuple[int, ...]]] = dict.fromkeys(
    [
        "audio_input",
        "badge",
        "button",
        "caption",
        "camera_input",
        "chat_input",
        "checkbox",
        "color_picker",
        "date_input",
        "download_button",
        "error",
        "expander",
        "file_uploader",
        "form_submit_button",
        "header",
        "info",
        "link_button",
        "markdown",
        "multiselect",
        "number_input",
        "pills",
        "popover",
        "radio",
        "segmented_control",
        "select_slider",
        "selectbox",
        "slider",
        "spinner",
        "status",
        "subheader",
        "success",
        "tabs",
        "text_area",
        "text_input",
        "time_input",
        "title",
        "toast",
        "toggle",
        "warning",
        "dialog",
    ],
    (0,),
) | {"progress": (1,), "metric": (0, 1, 2), "page_link": ()}
#: Keywords that are Markdown wherever they stand.
_KEYWORDS: Final = ("help", "label", "body", "captions")
#: Functions that render each option as Markdown; a select box does not.
_OPTIONS: Final = ("radio", "pills", "segmented_control")
#: Functions that render whatever they get.
_NEVER: Final = ("write", "write_stream", "latex")
#: Other things' methods with names of Streamlit's functions.
_NOT_STREAMLIT: Final = ("page", "self", "sys", "_log")
#: Figures as people read them: digits, signs and units only.
_FIGURES: Final = ("size", "seconds", "change", "moment", "len", "int", "float")
#: Plotly itself.
_LIBRARIES: Final = ("get_plotlyjs",)
_NUMBER_SPEC: Final = re.compile(r",|[+,]*(\.\d+)?[dfg%]|%.*")
_NUMBER_TYPES: Final = ("int", "float", "bool", "datetime")
_KINDS: Final = ("Markdown", "Html")

Returns = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Source:
    """A module's text; ``name`` is its last part."""

    path: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return Path(self.path).stem


def read(path: Path, root: Path) -> Source:
    """Return the parsed file."""
    return Source(str(path.relative_to(root)), ast.parse(path.read_text(encoding="utf-8")))


def raw_places(sources: list[Source]) -> list[str]:
    """Return ``file:line: what`` for all that cannot be shown to be disarmed."""
    returns = {
        (source.name, each.name): ast.unparse(each.returns)
        for source in sources
        for each in ast.walk(source.tree)
        if isinstance(each, ast.FunctionDef) and each.returns is not None
    }
    return [
        f"{source.path}:{line}: {what}"
        for source in sources
        for line, what in sorted(_Module(source, returns).faults())
    ]


@dataclass
class _Module:
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
                module = str(node.module).rpartition(".")[2]
                self.imported |= {
                    each.asname or each.name: (module, each.name) for each in node.names
                }

    # -- where Markdown and HTML are shown -----------------------------------------------------

    def faults(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit"):
                for each in node.names:
                    if each.name in (*PLACES, *_NEVER, "html"):
                        yield node.lineno, f"import st, not {each.name} alone"
            elif isinstance(node, ast.Attribute) and self._is_place_as_value(node):
                yield node.lineno, f"{ast.unparse(node)} under another name"
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _is_place_as_value(self, node: ast.Attribute) -> bool:
        if not (isinstance(node.value, ast.Name) and node.value.id == "st"):
            return False
        parent = self.parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        return node.attr in (*PLACES, *_NEVER, "html") and not called

    def _call(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        if isinstance(node.func, ast.Name) and node.func.id in _KINDS:
            yield from self._check(node.args, node.func.id, node.func.id)
        if isinstance(node.func, ast.Name) and node.func.id == "getattr":
            if ast.unparse(node.args[0]) == "st":
                yield node.lineno, "getattr(st, …)"
        if not isinstance(node.func, ast.Attribute) or self._of_other_things(node.func):
            return
        name = node.func.attr
        shown = f"st.{name}"
        keywords = {each.arg: each.value for each in node.keywords}
        if name in _NEVER:
            yield node.lineno, f"{shown} renders whatever it gets"
        elif name == "html":
            yield from self._check([*node.args, *self._named(keywords, ("body",))], "Html", shown)
        elif name in PLACES:
            given = [node.args[at] for at in PLACES[name] if at < len(node.args)]
            given += self._named(keywords, (*_KEYWORDS, "text", "value", "delta"), name)
            if name in _OPTIONS:
                options = node.args[1:2] + self._named(keywords, ("options",))
                given += self._named(keywords, ("format_func",)) or options
            yield from self._check(given, "Markdown", shown)
        else:
            yield from self._check(self._named(keywords, ("help",)), "Markdown", shown)

    @staticmethod
    def _named(
        keywords: Mapping[str | None, ast.expr], names: tuple[str, ...], place: str = ""
    ) -> list[ast.expr]:
        # a field's value is what is typed in it; a metric's and a progress bar's words are shown
        typed = () if place in ("metric", "progress", "spinner") else ("text", "value", "delta")
        if None in keywords:
            return [keywords[None]]
        return [keywords[each] for each in names if each in keywords and each not in typed]

    def _of_other_things(self, function: ast.Attribute) -> bool:
        root: ast.expr = function.value
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        name = root.id if isinstance(root, ast.Name) else ""
        if function.attr == "title" and name != "st":
            return True
        return name in _NOT_STREAMLIT or name in self.imported

    def _check(self, given: list[ast.expr], kind: str, place: str) -> Iterator[tuple[int, str]]:
        for each in given:
            if not self.ours(each, kind):
                yield each.lineno, f"{place} takes raw words: {ast.unparse(each)}"

    # -- what is ours --------------------------------------------------------------------------

    def ours(self, node: ast.AST, kind: str) -> bool:
        """Whether nothing from outside can be in what ``node`` yields, unless it was disarmed."""
        match node:
            case ast.Constant() | ast.Compare():
                return True
            case ast.JoinedStr():
                return all(self.ours(each, kind) for each in node.values)
            case ast.FormattedValue():
                spec = "" if node.format_spec is None else ast.unparse(node.format_spec)[2:-1]
                return bool(_NUMBER_SPEC.fullmatch(spec)) or self.ours(node.value, kind)
            case ast.Name():
                return node.id.isupper() or self._name_is_ours(node, kind)
            case ast.Attribute():
                if node.attr == "__getitem__":
                    return self.ours(node.value, kind)
                return node.attr.isupper()
            case ast.Call():
                return self._call_is_ours(node, kind)
            case ast.Lambda():
                return self.ours(node.body, kind)
            case ast.Dict():
                return all(self.ours(each, kind) for each in node.values)
            case ast.DictComp():
                return self.ours(node.value, kind)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self.ours(node.elt, kind)
            case ast.Subscript() | ast.Starred() | ast.NamedExpr():
                return self.ours(node.value, kind)
            case ast.BinOp():
                return self._sum_is_ours(node, kind)
            case ast.IfExp():
                return self.ours(node.body, kind) and self.ours(node.orelse, kind)
            case ast.BoolOp():
                return all(self.ours(each, kind) for each in node.values)
            case ast.List() | ast.Tuple():
                return all(self.ours(each, kind) for each in node.elts)
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
        if name in (*_FIGURES, *_LIBRARIES):
            return True
        if name == "text" and kind == "Markdown" and self._is_catalogue(function):
            return not node.keywords  # the catalogue's own words
        if name == "join" and isinstance(function, ast.Attribute):
            return self.ours(function.value, kind) and self.ours(node.args[0], kind)
        return self._returns(function, kind)

    def _is_catalogue(self, function: ast.AST) -> bool:
        shown = ast.unparse(function)
        return shown in ("page.text", "self.page.text") or (
            shown == "text" and self.imported.get("text") == ("catalogue", "text")
        )

    def _returns(self, function: ast.AST, kind: str) -> bool:
        """Whether a function is annotated to return what is finished."""
        module = self.source.name
        match function:
            case ast.Name(id=name):
                module, name = self.imported.get(name, (module, name))
            case ast.Attribute(value=ast.Name(id="page"), attr=name):
                module = "shell"
            case ast.Attribute(value=ast.Attribute(attr="page"), attr=name):
                module = "shell"
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                pass
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self.imported:
                module = self.imported[owner][1]
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
        if isinstance(scope, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            for loop in scope.generators:
                if name in _names(loop.target):
                    yield self._element_is_ours(loop.target, loop.iter, name, kind)
        if isinstance(scope, ast.Lambda) and name in [each.arg for each in scope.args.args]:
            yield False
        if not isinstance(scope, ast.FunctionDef | ast.Module):
            return
        if isinstance(scope, ast.FunctionDef):
            arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
            for argument in arguments:
                if argument.arg == name:
                    said = ast.unparse(argument.annotation) if argument.annotation else ""
                    yield said in _NUMBER_TYPES or kind in re.findall(r"\w+", said)
        for each in _own_nodes(scope):
            match each:
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr():
                    targets = each.targets if isinstance(each, ast.Assign) else [each.target]
                    for target in targets:
                        if name in _names(target) and each.value is not None:
                            yield self._element_is_ours(target, each.value, name, kind)
                case ast.For():
                    if name in _names(each.target):
                        yield self._element_is_ours(each.target, each.iter, name, kind)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append")):
                    if owner == name:
                        yield self.ours(each.args[0], kind)

    def _element_is_ours(self, target: ast.AST, value: ast.AST, name: str, kind: str) -> bool:
        """Whether ``name``, which gets ``value`` or one of its elements, is ours."""
        if isinstance(target, ast.Tuple):
            at = next(at for at, each in enumerate(target.elts) if name in _names(each))
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "enumerate":
                return at == 0 or self._element_is_ours(target.elts[at], value.args[0], name, kind)
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "zip":
                return self._element_is_ours(target.elts[at], value.args[at], name, kind)
            if isinstance(value, ast.List | ast.Tuple) and all(
                isinstance(each, ast.Tuple) for each in value.elts
            ):
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
