from itertools import islice

from tests.support.hostile_texts import ATTACKS, LONG, hostile_texts, scripts


def test_the_texts_are_the_same_in_each_run_and_a_smaller_count_is_their_beginning() -> None:
    texts = list(hostile_texts(2_000))
    assert texts == list(hostile_texts(2_000))
    assert texts[:500] == list(hostile_texts(500))
    assert texts[500:] != list(islice(hostile_texts(2_000, seed=2), 500, None))


def test_ten_thousand_hold_each_attack_each_script_and_long_ones() -> None:
    texts = list(hostile_texts())
    assert len(texts) == 10_000
    assert set(ATTACKS) <= set(texts)
    assert len(scripts()) >= 150
    written = set().union(*map(set, texts))
    assert [script[0] for script in scripts() if not written & set(script)] == []
    assert sum(len(text.encode(errors="surrogatepass")) >= LONG for text in texts) == 40
    assert len(set(texts)) > 9_500
