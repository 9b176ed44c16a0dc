"""One service call is one transaction: read from the source of every function of `server/services`.

A path through a function opens `.read()`, `.write()` or `.attempt()` at most once, itself or through what it calls. Of
branches the costlier one counts, a loop counts twice, and what follows a branch that ends counts as its other branch.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

SERVICES = Path(__file__).parents[3] / "server" / "services"
OPENS = {"read", "write", "attempt"}

MORE_THAN_ONE = {
    "server.services.log.heads.sign_newest_head": "burns would wait while thousands of entries are placed at once",
    "server.services.log.keeper.LogKeeper.keep": "the background job around it",
    "server.services.log.keeper.LogKeeper._run": "the same, every so often",
    "server.services.staff.accounts.authenticate": "a try is durable before argon2 runs, for which no writer waits",
    "server.services.staff.accounts.set_password": "argon2 runs between reading and writing; no writer waits for it",
    "server.services.staff.api_tokens.admit": "one write a day, and not a writer's turn for each request",
}
"""Functions that need several, each with its reason."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """One module: its functions by name, and what its names stand for."""

    def __init__(self, path: Path) -> None:
        self.name = ".".join(("server", "services", *path.relative_to(SERVICES).with_suffix("").parts))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.names: dict[str, str] = {}
        self.functions: dict[str, tuple[_Function, str | None]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        for node in tree.body:
            if isinstance(node, _Function):
                self.functions[node.name] = (node, None)
            elif isinstance(node, ast.ClassDef):
                methods = [one for one in node.body if isinstance(one, _Function)]
                self.functions |= {f"{node.name}.{one.name}": (one, node.name) for one in methods}

    def target(self, call: ast.Call, owner: str | None) -> str | None:
        """The full name of what is called, where it can be one of the services' functions."""
        match call.func:
            case ast.Name(id=name):
                return f"{self.name}.{name}" if name in self.functions else self.names.get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if owner:
                return f"{self.name}.{owner}.{attribute}"
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self.names:
                return f"{self.names[name]}.{attribute}"
        return None


MODULES = {module.name: module for module in map(Module, sorted(SERVICES.rglob("*.py")))}
FUNCTIONS = {f"{module.name}.{name}": module for module in MODULES.values() for name in module.functions}


def opens(call: ast.Call) -> bool:
    """Whether a call opens a transaction of a database, as `ctx.db.read()` or `db.write()`."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in OPENS):
        return False
    return ast.unparse(call.func.value).split(".")[-1] in {"db", "_db"}


def ends(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


@cache
def cost(name: str) -> int:
    """The most transactions that a path through a function opens."""
    module = FUNCTIONS[name]
    node, owner = module.functions[name.removeprefix(f"{module.name}.")]
    return Reader(module, owner).block(node.body)


class Reader:
    """Adds up one function."""

    def __init__(self, module: Module, owner: str | None) -> None:
        self.module, self.owner = module, owner

    def block(self, body: list[ast.stmt]) -> int:
        if not body:
            return 0
        first, rest = body[0], body[1:]
        if isinstance(first, ast.If):
            test, taken = self.parts([first.test]), self.block(first.body)
            if ends(first.body):
                return test + max(taken, self.block([*first.orelse, *rest]))
            return test + max(taken, self.block(first.orelse)) + self.block(rest)
        return self.statement(first) + self.block(rest)

    def statement(self, node: ast.AST) -> int:
        match node:
            case ast.For(iter=iterated, body=body):
                found = self.statement(iterated) + 2 * self.block(body)
            case ast.While(test=test, body=body):
                found = 2 * (self.statement(test) + self.block(body))
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                handled = max((self.block(one.body) for one in handlers), default=0)
                found = self.block(body) + max(handled, self.block(orelse)) + self.block(finalbody)
            case ast.With(items=items, body=body):
                found = self.parts(items) + self.block(body)
            case ast.FunctionDef(body=body):  # work that is handed to `attempt`: it opens none of its own
                found = self.block(body)
            case ast.IfExp(test=test, body=one, orelse=other):
                found = self.statement(test) + max(self.statement(one), self.statement(other))
            case ast.ListComp(generators=loops) | ast.GeneratorExp(generators=loops) | ast.SetComp(generators=loops):
                found = self.statement(loops[0].iter) + 2 * self.parts([node.elt, *loops[0].ifs, *loops[1:]])
            case ast.Call():
                found = self.called(node) + self.parts(ast.iter_child_nodes(node))
            case _:
                found = self.parts(ast.iter_child_nodes(node))
        return found

    def parts(self, nodes: Iterable[ast.AST]) -> int:
        return sum(map(self.statement, nodes))

    def called(self, call: ast.Call) -> int:
        target = self.module.target(call, self.owner)
        return int(opens(call)) + (cost(target) if target in FUNCTIONS else 0)


def costs() -> Iterator[tuple[str, int]]:
    return ((name, cost(name)) for name in FUNCTIONS)


def test_a_service_call_is_one_transaction_but_for_those_that_say_why() -> None:
    assert {name for name, transactions in costs() if transactions > 1} == set(MORE_THAN_ONE)


def test_the_reading_finds_the_transactions_that_there_are() -> None:
    assert cost("server.services.codes.redeem.verify") == cost("server.services.codes.look.look_at_symbols") == 1
    assert cost("server.services.codes.facts.state_of") == 0
    assert sum(transactions > 0 for _, transactions in costs()) > 50
