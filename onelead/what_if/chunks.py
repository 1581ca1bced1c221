"""Cuts a tenant's places into chunks that can be compared alone: no account reaches beyond its chunk."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping

from onelead.what_if.side import Place


def chunks(
    places: Mapping[Place, int],
    before: Callable[[Place], str | None],
    after: Callable[[Place], str | None],
    rows: int,
) -> Iterator[list[Place]]:
    """Every place with an account, in chunks of about so many rows; `places` says how many each has.

    Places that are one account, before or after, are in one chunk.
    """
    chunk: list[Place] = []
    size = 0
    for group in _groups(places, before, after):
        chunk += group
        size += sum(places[place] for place in group)
        if size >= rows:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _groups(
    places: Mapping[Place, int],
    before: Callable[[Place], str | None],
    after: Callable[[Place], str | None],
) -> list[list[Place]]:
    parent: dict[Hashable, Hashable] = {}
    roots: list[tuple[Place, Hashable]] = []
    for place in sorted(places):
        accounts: list[Hashable] = [
            (side, account_id)
            for side, account_id in (("before", before(place)), ("after", after(place)))
            if account_id is not None
        ]
        for account in accounts:
            parent[_root(parent, account)] = _root(parent, accounts[0])
        roots += [(place, account) for account in accounts[:1]]
    groups: dict[Hashable, list[Place]] = defaultdict(list)
    for place, account in roots:
        groups[_root(parent, account)].append(place)
    return list(groups.values())


def _root(parent: dict[Hashable, Hashable], node: Hashable) -> Hashable:
    parent.setdefault(node, node)
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
