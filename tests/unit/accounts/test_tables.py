"""Candidates and explanations on a terminal and as JSON, in every script."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console, RenderableType

from onelead.accounts.explaining import Explanation, LinkShown, decision_json, explanation_json
from onelead.accounts.explanation_tables import explanation_report
from onelead.accounts.review import (
    Page,
    Question,
    Side,
    counted,
    page_json,
    question_json,
    questions_table,
)
from services.ingest.domain.accounts.candidates import candidate_id
from services.ingest.domain.accounts.matching import Candidate
from services.ingest.repository.account_decisions import AccountFacts, Spelling
from tests.support.account_builders import Desk, of_territory
from tests.support.builders import a_use

EAST, WEST = "東日本電信電話", "西日本電信電話"
SINCE = datetime(2025, 3, 1, tzinfo=UTC)


def shown(*parts: RenderableType) -> str:
    text = StringIO()
    console = Console(file=text, width=100)
    for part in parts:
        console.print(part)
    return text.getvalue()


def a_side(key: str, *territories: str, boxes: int = 1, domain: str = "ntt.jp") -> Side:
    facts = AccountFacts(boxes, 2, frozenset([domain]), frozenset())
    return Side(key, f"id-{key}", key, frozenset(territories), facts)


def a_question() -> Question:
    evidence = "ratio, but names in East Asian scripts are linked only when equal"
    candidate = Candidate(name=WEST, founder=EAST, similarity=85.7, evidence=evidence)
    return Question(candidate, a_side(WEST, "1", "2"), a_side(EAST, "2", boxes=1_200), "because")


def an_explanation() -> Explanation:
    """West went into East."""
    desk = Desk()
    desk.load(a_use(EAST, "1"), a_use(WEST, "2"))
    desk.undo(desk.merge(of_territory("2"), of_territory("1"), why="[bold]first[/bold]").number)
    desk.merge(of_territory("2"), of_territory("1"), why="同じ会社")
    in_force = desk.accounts
    spelled = (Spelling(f"{WEST}株式会社", 3, SINCE),)
    links = [
        LinkShown("1", "territory", in_force.territories["1"], desk.base.territories["1"], None),
        LinkShown(WEST, "name", in_force.names[WEST], desk.base.names[WEST], SINCE, spelled),
    ]
    gone = in_force.accounts[of_territory("2")]
    return Explanation(
        entry=in_force.accounts[of_territory("1")],
        resolved_from=gone.account_id,
        facts=AccountFacts(1, 1, frozenset(), frozenset()),
        links=links,
        merged=[gone],
        decisions=[each for each in desk.log if each.undoes is None],
        questions=[a_question()],
    )


def test_a_candidate_shows_both_accounts_with_their_size_and_what_they_share() -> None:
    text = shown(questions_table([a_question()], "Open candidates: 1"))
    for part in (EAST, WEST, "85.7", "1 box, 2 open leads", "1,200 boxes", "because", "ntt.jp"):
        assert part in text
    assert "territories: 2" in text
    assert candidate_id(a_question().candidate) in text


def test_a_page_of_candidates_is_json_with_the_names_a_command_takes() -> None:
    page = page_json(Page(2, 3, 41, [a_question()]))
    assert (page["page"], page["pages"], page["total"]) == (2, 3, 41)
    [candidate] = page["candidates"]
    assert (candidate["name"], candidate["founder"]) == (WEST, EAST)
    assert candidate["shared"] == {"territories": ["2"], "domains": ["ntt.jp"], "postal_codes": []}
    assert [each["boxes"] for each in candidate["accounts"]] == [1, 1_200]


def test_an_explanation_shows_every_link_and_every_decision_as_they_are_written() -> None:
    text = shown(*explanation_report(an_explanation()))
    for part in (
        EAST,
        WEST,
        "同じ会社",
        "anna",
        "1 box, 1 open lead",
        "undone by anna on 2025-10-09",
    ):
        assert part in text
    assert "before: founded" in text
    assert "[bold]first[/bold]" in text
    assert f"{WEST}株式会社 ×3" in text
    assert "2025-03-01" in text
    assert "which is merged into it" in text


def test_an_explanation_as_json_says_what_linked_a_name_before_people_decided() -> None:
    found = explanation_json(an_explanation())
    assert found["territory_ids"] == ["1", "2"]
    territory, name = found["links"]
    assert (territory["territory"], territory["before_decisions"]) == ("1", None)
    assert (territory["similarity"], territory["since"]) == (None, None)
    assert (name["name"], name["stage"]) == (WEST, "manual")
    assert name["evidence"] == "merged by anna on 2025-10-09: 同じ会社"
    assert name["before_decisions"]["account_id"] == of_territory("2")
    assert name["since"] == "2025-03-01T00:00:00+00:00"
    assert [each["state"] for each in found["decisions"]] == ["undone", "made"]
    assert found["candidates"] == [question_json(a_question())]


def test_a_decision_as_json_has_the_name_that_undo_takes() -> None:
    decision = an_explanation().decisions[0]
    assert decision_json(decision)["decision"] == f"d{decision.number}"


def test_numbers_go_with_their_nouns() -> None:
    assert counted(1, "lead") == "1 lead"
    assert counted(0, "box", "boxes") == "0 boxes"
    assert counted(1_000, "lead") == "1,000 leads"
