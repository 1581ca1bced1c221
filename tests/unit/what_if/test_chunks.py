"""Chunks hold every place once, and no account reaches out of its chunk, before or after."""

from hypothesis import given
from hypothesis import strategies as st

from onelead.what_if.chunks import chunks
from onelead.what_if.side import Place

Links = dict[Place, str | None]
PLACES: list[Place] = [(name, at) for name in ("", "A", "B", "C", "D") for at in ("", "1", "2")]
accounts = st.none() | st.sampled_from("uvwxyz")
links = st.fixed_dictionaries(dict.fromkeys(PLACES, accounts))
sizes = st.fixed_dictionaries(dict.fromkeys(PLACES, st.integers(1, 9)))


@given(sizes, links, links, st.integers(1, 30))
def test_no_account_reaches_out_of_its_chunk(
    places: dict[Place, int], before: Links, after: Links, rows: int
) -> None:
    found = list(chunks(places, before.get, after.get, rows))
    with_account = {place for place in PLACES if before[place] or after[place]}
    assert sorted(place for chunk in found for place in chunk) == sorted(with_account)
    for side in (before, after):
        of_chunks = [{side[place] for place in chunk} - {None} for chunk in found]
        for number, accounts_here in enumerate(of_chunks):
            assert not any(accounts_here & other for other in of_chunks[number + 1 :])
    assert all(sum(places[place] for place in chunk) >= rows for chunk in found[:-1])


def test_chunks_stay_small_where_accounts_are() -> None:
    places = {(f"N{number}", ""): 10 for number in range(10)}
    found = list(chunks(places, lambda at: at[0], lambda at: at[0], 30))
    assert [len(chunk) for chunk in found] == [3, 3, 3, 1]


def test_accounts_that_become_one_are_compared_together() -> None:
    places: dict[Place, int] = {("A", ""): 5, ("B", ""): 5, ("C", ""): 5}
    merged = {("A", ""): "c", ("B", ""): "b", ("C", ""): "c"}
    found = list(chunks(places, lambda at: at[0], merged.get, 1))
    assert found == [[("A", ""), ("C", "")], [("B", "")]]
