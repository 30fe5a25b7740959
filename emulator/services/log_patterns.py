"""Filter patterns of CloudWatch Logs for plain text (CloudWatch Logs User Guide, "Filter pattern syntax").

Terms match case-sensitively and anywhere in the message: ``a b`` both, ``?a ?b`` one of them, ``-a`` none,
``"two words"`` as they stand, ``%regex%`` a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.aws.errors import AwsError, NotImplementedHere

Predicate = Callable[[str], bool]
_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|(\S+))')


def compile_pattern(pattern: str) -> Predicate:
    """A test for messages.

    Raises:
        NotImplementedHere: the pattern selects JSON or space-delimited fields.
        AwsError: InvalidParameterException, the pattern's regular expression is malformed.
    """
    text = pattern.strip()
    if text.startswith(("{", "[")):
        raise NotImplementedHere(
            f"filterPattern {pattern!r} selects JSON or space-delimited fields, which the emulator does not have yet;"
            " use plain terms"
        )
    terms: dict[str, list[Predicate]] = {"": [], "?": [], "-": []}
    for match in _TERM.finditer(text):
        terms[match[1]].append(_term(match))
    required, optional, excluded = terms[""], terms["?"], terms["-"]

    def matches(message: str) -> bool:
        if optional and not required:
            return any(test(message) for test in optional) and not any(test(message) for test in excluded)
        return all(test(message) for test in required) and not any(test(message) for test in excluded)

    return matches


def _term(match: re.Match[str]) -> Predicate:
    if match[3] is not None:
        try:
            expression = re.compile(match[3])
        except re.error as error:
            raise AwsError(
                f"Invalid filter pattern: %{match[3]}% is not a regular expression: {error}",
                code="InvalidParameterException",
            ) from error
        return lambda message: expression.search(message) is not None
    text = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[4]
    return lambda message: text in message
