"""import-linter contract `only`: a short list of modules may use something, all others may not."""

from __future__ import annotations

from collections.abc import Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """
    Only *users* may import *used*; every other module may not, directly or through others.

    A name in *users* stands for a module and everything below it. One of them that does not need to
    be there breaks the contract as well, so that the list stays short.
    """

    type_name = "only"

    users = fields.ListField(subfield=fields.StringField())
    used = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        chains = sorted(self._chains(graph))
        users = [next(self._users_above(chain[0]), None) for chain in chains]
        broken = [chain for chain, user in zip(chains, users, strict=True) if user is None]
        needless = sorted(set(self.users) - set(users))
        return ContractCheck(
            kept=not broken and not needless, metadata={"broken": broken, "needless": needless}
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        for chain in check.metadata["broken"]:
            output.print_error(" -> ".join(chain), bold=False)
        for name in check.metadata["needless"]:
            output.print_error(f"{name} is on the list and needs none of them", bold=False)
        output.new_line()

    def _chains(self, graph: ImportGraph) -> Iterator[tuple[str, ...]]:
        """Yield for each module how it reaches one of *used*, where it does."""
        used = [name for name in self.used if name in graph.modules]
        ours = self.session_options["root_packages"]
        for module in graph.modules:
            if module.split(".")[0] in ours:
                chains = (graph.find_shortest_chain(module, name) for name in used)
                if chain := next(filter(None, chains), None):
                    yield tuple(chain)

    def _users_above(self, module: str) -> Iterator[str]:
        return (name for name in self.users if f"{module}.".startswith(f"{name}."))
