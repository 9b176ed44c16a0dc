"""Puts the verifier into one file: its modules and, of the library's own, what they use and no more.

A definition at the top of a module is taken where `command.main` needs it, in the order of the imports, so that the
same sources give the same bytes. Names keep their spelling; what would clash in one file is refused (ValueError).
"""

import ast
import builtins
from importlib.abc import InspectLoader
from importlib.util import find_spec

OURS = ("authcode", "keys")
COMMAND = "authcode.verifier.command"
IN_PLACE_OF = {"keys.primitives": "authcode.verifier.ed25519"}
"""Modules that the library imports, each with its replacement in the single file."""
LICENCE = "# SPDX-License-Identifier: Apache-2.0"


class Module:
    """The source of a module, and the statement or import behind each name at its top."""

    def __init__(self, name: str) -> None:
        """Read and parse it."""
        spec = find_spec(name)
        if spec is None or not isinstance(spec.loader, InspectLoader):
            raise ValueError(f"the source of {name} is not there")
        source = spec.loader.get_source(name) or ""
        self.lines, self.body = source.splitlines(), ast.parse(source).body
        self.imported: dict[str, tuple[str, str]] = {}
        self.defined: dict[str, ast.stmt] = {}
        for statement in self.body:
            if isinstance(statement, ast.Import):
                self.imported |= {one.name: (one.name, "") for one in statement.names}
            elif isinstance(statement, ast.ImportFrom):
                source = IN_PLACE_OF.get(str(statement.module), str(statement.module))
                self.imported |= {one.asname or one.name: (source, one.name) for one in statement.names}
            else:
                self.defined |= dict.fromkeys(names_of(statement), statement)

    def text(self, number: int) -> str:
        """Statement `number` as it is written, with the string below it that explains a constant, and blank lines."""
        statement, below = self.body[number], self.body[number + 1 : number + 2]
        first = min([statement, *getattr(statement, "decorator_list", [])], key=lambda node: node.lineno)
        explained = below and isinstance(below[0], ast.Expr) and not isinstance(statement, ast.Expr)
        lines = self.lines[first.lineno - 1 : (below[0] if explained else statement).end_lineno]
        return ("\n\n" if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else "") + "\n".join(lines)


def names_of(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return [node.id for node in names if isinstance(node.ctx, ast.Store)]


def load(name: str, modules: dict[str, Module]) -> dict[str, Module]:
    """Add a module of ours, those that it imports first."""
    if name not in modules and name.partition(".")[0] in OURS:
        module = Module(name)
        for source, _ in module.imported.values():
            load(source, modules)
        modules[name] = module
    return modules


def take(modules: dict[str, Module], module: str, name: str, taken: set[tuple[str, str]]) -> None:
    """Add a name of a module, and all that its definition needs, to those taken, as (module, name)."""
    found = modules[module]
    if name in found.defined and (module, name) not in taken:
        taken.add((module, name))
        for node in ast.walk(found.defined[name]):
            if isinstance(node, ast.Name):
                take(modules, module, node.id, taken)
    elif name in found.imported:
        source, original = found.imported[name]
        if source not in modules:
            taken.add((source, original))
        elif original != name or name not in modules[source].defined:
            raise ValueError(f"{module} imports {name} in a way that one file cannot hold")
        else:
            take(modules, source, name, taken)


def check_clashes(taken: set[tuple[str, str]]) -> None:
    """Refuse two things of one name, and names of Python's own."""
    names = [*(name or module for module, name in taken), *dir(builtins)]
    clashes = sorted({name for name in names if names.count(name) > 1})
    if clashes:
        raise ValueError(f"one file has no room for two of {', '.join(clashes)}")


def import_lines(imports: set[tuple[str, str]]) -> list[str]:
    """Import statements of the standard library, one for each module."""
    grouped = {module: sorted(name for one, name in imports if one == module and name) for module, _ in imports}
    lines = [f"from {module} import {', '.join(names)}" for module, names in sorted(grouped.items()) if names]
    return [*(f"import {module}" for module, name in sorted(imports) if not name), *lines]


def build() -> str:
    """The text of `authcode_verify.py`."""
    modules, taken = load(COMMAND, {}), set[tuple[str, str]]()
    take(modules, COMMAND, "main", taken)
    check_clashes(taken)
    lines = [LICENCE, modules[COMMAND].text(0), "", *import_lines({one for one in taken if one[0] not in modules})]
    for name, module in modules.items():
        wanted = [
            number for number, one in enumerate(module.body) if any((name, own) in taken for own in names_of(one))
        ]
        lines += [f"\n\n# --- {name} " + "-" * (113 - len(name)) + "\n"] if wanted else []
        lines += map(module.text, wanted)
    return "\n".join(lines) + '\n\n\nif __name__ == "__main__":\n    sys.exit(main())\n'
