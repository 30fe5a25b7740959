"""PL1xx: the sources: what build code may not do with pipeline variables, and what scripts may not import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Module, Subject
from pipelines.checks.variables import is_variable, variable_names

STRING_METHODS = frozenset(
    {
        *(
            "startswith",
            "endswith",
            "format",
            "join",
            "split",
            "replace",
            "strip",
            "lower",
            "upper",
            "rstrip",
            "lstrip",
        ),
        *("removeprefix", "removesuffix", "partition", "rpartition", "encode", "title"),
    }
)
CONVERSIONS = frozenset({"str", "int", "float", "bool", "len", "repr"})
REPO = frozenset({"steps", "pipelines", "emulator", "studio"})
CHANGING = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"time", "time_ns", "strftime"},
    "uuid": {"uuid1", "uuid4"},
    "random": {"random", "randint", "choice"},
    "secrets": {"token_hex", "token_urlsafe"},
}
CLIENTS = frozenset({"client", "resource", "Session"})


@check("PL100", "pipeline that cannot be built", on_sources=True)
def unbuildable(subject: Subject) -> Iterator[Problem]:
    """`build(environment)` raised, or did what a build may not do; the message says where. The checks of the sources
    ran all the same and may name the cause."""
    yield from ()  # pipelines.validate reports it: only it knows how the build ended


@check("PL101", "pipeline variable inside an f-string", on_sources=True)
def variable_in_f_string(subject: Subject) -> Iterator[Problem]:
    """A pipeline variable has no value while the pipeline is built, so the text would hold the name of a Python
    object, or the SDK raises. Use `Join(on="", values=["s3://bucket/", variable])`."""
    for module, node, names in _nodes(subject):
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and is_variable(part.value, names):
                    message = f"f-string with the pipeline variable {ast.unparse(part.value)}"
                    yield Problem(message, 'use Join(on="", values=[…])', where=module.at(node))


@check("PL102", "string operation on a pipeline variable", on_sources=True)
def string_operation(subject: Subject) -> Iterator[Problem]:
    """A pipeline variable is no string: its value is known only in an execution. Join it with `Join`, compare it in a
    `ConditionStep`, and do everything else in a step's script."""
    for module, node, names in _nodes(subject):
        what = _operation(node, names)
        if what:
            yield Problem(f"{what} on a pipeline variable", "use Join, or do it in the script", where=module.at(node))


@check("PL103", "decision on a pipeline variable at build time", on_sources=True)
def build_time_decision(subject: Subject) -> Iterator[Problem]:
    """`if parameter == …` is decided once, when the pipeline is built, and not by the value of an execution. Use a
    `ConditionStep`."""
    for module, node, names in _nodes(subject):
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
            for part in _tested(node.test):
                if is_variable(part, names):
                    message = f"{ast.unparse(part)} is decided while the pipeline is built"
                    yield Problem(message, "use a ConditionStep", where=module.at(node))


@check("PL104", "script that imports the repo", on_sources=True)
def script_imports_repo(subject: Subject) -> Iterator[Problem]:
    """A script runs alone in its container, where steps/ and pipelines/ are not. Copy what it needs into its folder."""
    for script in subject.scripts:
        for name, node in _imported(script):
            if name.split(".")[0] in REPO:
                message = f"the script imports {name}, which is not in its container"
                yield Problem(message, "put what it needs into its own folder", where=script.at(node))


@check("PL105", "missing script")
def missing_script(subject: Subject) -> Iterator[Problem]:
    """The container is started with a file that no input of the job brings."""
    keys = [asset["key"] for asset in subject.manifest.get("assets") or ()]
    for step, arguments in subject.of_type("Processing"):
        sources = {
            (item.get("S3Input") or {}).get("LocalPath"): (item.get("S3Input") or {}).get("S3Uri")
            for item in arguments.get("ProcessingInputs") or ()
        }
        for word in (arguments.get("AppSpecification") or {}).get("ContainerEntrypoint") or ():
            folder, _, name = word.rpartition("/") if isinstance(word, str) else ("", "", "")
            uri = sources.get(folder)
            if isinstance(uri, str) and f"/{subject.name}/assets/" in uri:
                base = uri.partition(f"/{subject.name}/assets/")[2]
                expected = base if base.endswith(f"/{name}") else f"{base.rstrip('/')}/{name}"
                if f"{subject.name}/assets/{expected}" not in keys:
                    message = f"{word} is started, and {uri} has no {name}"
                    yield Problem(message, "correct code= of the processor", step, "Arguments.AppSpecification")


@check("PL106", "script that does not parse", on_sources=True)
def broken_script(subject: Subject) -> Iterator[Problem]:
    """Python refuses it, and the job fails when it starts."""
    folders = {(subject.root / module.path).parent for module in subject.modules if module.path.endswith("/step.py")}
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        try:
            ast.parse(path.read_bytes())
        except SyntaxError as error:
            where = f"{path.relative_to(subject.root).as_posix()}:{error.lineno or 1}"
            yield Problem(f"{error.msg}", "correct the syntax", where=where)


@check("PL107", "AWS client in build code", "warning", on_sources=True)
def client_in_build(subject: Subject) -> Iterator[Problem]:
    """A build is offline and has no credentials. Pass what the call would find out as a parameter or by the
    environment, or do it in a step."""
    for module, node, _ in _nodes(subject):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="boto3"), attr=name)) if name in CLIENTS:
                message = f"boto3.{name} in code that builds the pipeline"
                yield Problem(message, "take it from the environment or a parameter", where=module.at(node))


@check("PL108", "changing value in build code", "warning", on_sources=True)
def changing_value(subject: Subject) -> Iterator[Problem]:
    """With a time or a random value every build is another definition: step caches never hit, and every upsert is a
    change. Use an ExecutionVariable where each execution needs its own value."""
    for module, node, _ in _nodes(subject):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).rpartition(".")[2]
            if node.func.attr in CHANGING.get(owner, ()):
                message = f"{owner}.{node.func.attr}() gives another value in every build"
                yield Problem(message, "use ExecutionVariables, or a parameter", where=module.at(node))


@check("PL109", "account, role or region written into the sources", "warning", on_sources=True)
def hard_coded_account(subject: Subject) -> Iterator[Problem]:
    """The definition then fits one environment only. Take `environment.role`, `.bucket`, `.account`, `.region`."""
    for module in subject.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = node.value.split(":")
                if node.value.startswith("arn:aws") and len(parts) > 4 and parts[4].isdigit():
                    message = f"{node.value!r} belongs to one account"
                    yield Problem(message, "take it from the environment", where=module.at(node))


def _nodes(subject: Subject) -> Iterator[tuple[Module, ast.AST, frozenset[str]]]:
    """Every node of the build code, with the names that are pipeline variables in its module."""
    for module in subject.modules:
        names = variable_names(module.tree)
        for node in ast.walk(module.tree):
            yield module, node, names


def _operation(node: ast.AST, names: frozenset[str]) -> str | None:
    """The string operation that a node is, if one of its operands is a pipeline variable."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        sign = "+" if isinstance(node.op, ast.Add) else "%"
        return sign if is_variable(node.left, names) or is_variable(node.right, names) else None
    if not isinstance(node, ast.Call):
        return None
    given = [item for each in node.args for item in (each.elts if isinstance(each, (ast.List, ast.Tuple)) else [each])]
    function = node.func
    if isinstance(function, ast.Name) and function.id in CONVERSIONS:
        return f"{function.id}()" if any(is_variable(item, names) for item in given) else None
    if isinstance(function, ast.Attribute) and function.attr in STRING_METHODS:
        on_text = isinstance(function.value, (ast.Constant, ast.JoinedStr)) or ast.unparse(function.value) == "os.path"
        if is_variable(function.value, names) or (on_text and any(is_variable(item, names) for item in given)):
            return f".{function.attr}()"
    return None


def _tested(test: ast.expr) -> list[ast.expr]:
    """The operands of a decision."""
    match test:
        case ast.BoolOp(values=values):
            return [part for value in values for part in _tested(value)]
        case ast.UnaryOp(operand=operand):
            return _tested(operand)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            is_none = any(isinstance(op, (ast.Is, ast.IsNot)) for op in ops)
            return [] if is_none else [left, *comparators]
        case _:
            return [test]


def _imported(module: Module) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node
