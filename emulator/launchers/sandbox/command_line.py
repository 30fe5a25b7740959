"""``python [-u] [-B] (script | -m module | -c code) args…``, as far as a running process can take its part."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from types import CodeType

_NO_SOURCE = (".pyc", ".zip", ".pyz")


@dataclass(slots=True)
class CommandLine:
    mode: str
    """``script``, ``-m`` or ``-c``."""
    target: str
    arguments: list[str]
    unbuffered: bool = False
    no_bytecode: bool = False
    code: CodeType | None = None
    """Of ``script`` and ``-c``."""

    @classmethod
    def parse(cls, arguments: list[str]) -> CommandLine | None:
        """None where only a new interpreter can do what is asked, or say what is wrong with it."""
        line = cls("", "", [])
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "-u":
                line.unbuffered = True
            elif word == "-B":
                line.no_bytecode = True
            elif word in ("-m", "-c") and rest:
                line.mode, line.target, line.arguments = word, rest[0], rest[1:]
                return line if line._compile() else None
            elif word.startswith("-"):
                return None
            else:
                line.mode, line.target, line.arguments = "script", word, rest
                return line if line._compile() else None
        return None

    @property
    def folder(self) -> str:
        """What a new interpreter puts first on ``sys.path``."""
        if self.mode == "script":
            return os.path.dirname(os.path.realpath(self.target))
        return os.getcwd() if self.mode == "-m" else ""

    @property
    def path(self) -> str:
        """Of a script: its ``__file__``."""
        return os.path.join(os.getcwd(), self.target)

    def _compile(self) -> bool:
        try:
            if self.mode == "script":
                self.code = self._compile_script()
                return self.code is not None
            if self.mode == "-c":
                self.code = compile(self.target, "<string>", "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):
            return False
        return True

    def _compile_script(self) -> CodeType | None:
        if not os.path.isfile(self.target) or self.target.endswith(_NO_SOURCE):
            return None
        with io.open_code(self.path) as file:
            code: CodeType = compile(file.read(), self.path, "exec", dont_inherit=True)
            return code
