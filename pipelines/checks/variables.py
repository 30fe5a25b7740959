"""Which expressions of build code are pipeline variables: values that exist only in an execution."""

from __future__ import annotations

import ast

PARAMETERS = frozenset({"ParameterString", "ParameterInteger", "ParameterFloat", "ParameterBoolean"})
MAKERS = PARAMETERS | {"Join", "JsonGet"}
PLAIN_MEMBERS = frozenset({"name", "default_value", "parameter_type", "enum_values"})
"""Members of a parameter that are known when the pipeline is built."""


def variable_names(tree: ast.Module) -> frozenset[str]:
    """Names that a module assigns a pipeline variable to, or annotates as one (parameters of functions)."""
    names = {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for argument in [*node.args.args, *node.args.kwonlyargs]
        if argument.annotation is not None and ast.unparse(argument.annotation).rpartition(".")[2] in PARAMETERS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_variable(node.value, frozenset(names)):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(names)


def is_variable(node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is a pipeline variable, as far as its text says."""
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(value=ast.Name(id="ExecutionVariables")):
            return True
        case ast.Attribute(value=value, attr=attribute):
            return _is_property(node) or (attribute not in PLAIN_MEMBERS and is_variable(value, names))
        case ast.Subscript(value=value):
            return is_variable(value, names)
        case ast.Call(func=ast.Name(id=name)):
            return name in MAKERS
        case ast.Call(func=ast.Attribute(value=value, attr="to_string")):
            return is_variable(value, names)
        case _:
            return False


def _is_property(node: ast.expr) -> bool:
    """Whether ``properties`` is among the members of a chain such as ``step.properties.ModelArtifacts``."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute) and node.attr == "properties":
            return True
        node = node.value
    return False
