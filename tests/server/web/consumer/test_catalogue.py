"""The rules for what shoppers read, held against every sentence of every language."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept

import server.web.consumer
from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.verdict import Verdict
from server.web.catalogue import Catalogue, PluralForms, Sentence
from server.web.consumer.pages import PageMaker
from server.web.consumer.words import ShopperCatalogue, catalogues, choose_catalogue
from tests.server.web.pages import EVERY_SEEN, USED, seen

MAX_HEADING_WORDS = 8
MAX_EXPLANATION_WORDS = 40
MAX_STEPS = 3
FORBIDDEN = re.compile(r"\b(fake|counterfeit|fraud|invalid|error|warning)|we detected", re.IGNORECASE)


def words(text: str) -> int:
    return len(text.split())


def longest(wordings: tuple[PluralForms, ...]) -> int:
    return max((words(sentence.text) for forms in wordings for sentence in forms), default=0)


def sentences(messages: Catalogue) -> list[Sentence]:
    return [sentence for wordings in messages.wordings.values() for forms in wordings for sentence in forms]


def everything_written() -> list[str]:
    return [sentence.text for messages in catalogues().values() for sentence in sentences(messages)]


@pytest.mark.parametrize("name", catalogues()["en"].pages)
def test_a_heading_has_at_most_eight_words_and_an_explanation_at_most_forty(
    name: str, english: ShopperCatalogue
) -> None:
    assert longest(english.wordings.get(f"{name}.heading", ())) <= MAX_HEADING_WORDS  # a page may have another one's
    parts = english.parts(f"{name}.text")
    assert parts
    assert sum(longest(english.wordings[part]) for part in parts) <= MAX_EXPLANATION_WORDS
    assert len(english.parts(f"{name}.step")) <= MAX_STEPS


def test_shoppers_read_of_a_short_code_everywhere_and_of_a_serial_nowhere() -> None:
    told = everything_written()
    assert [text for text in told if re.search(r"\bserials?\b", text, re.IGNORECASE)] == []
    assert any("short code" in text for text in told)


def test_no_sentence_accuses_anybody() -> None:
    accusing = [text for text in everything_written() if FORBIDDEN.search(text)]
    assert accusing == []


def test_every_verdict_has_words_of_its_own(english: ShopperCatalogue) -> None:
    verdicts = {str(verdict) for verdict in set(Verdict) - {Verdict.UNUSED, Verdict.GENUINE}}
    names = verdicts | {"look", "genuine_visible", "genuine_hidden"}
    assert names <= set(english.pages)
    said = {tuple(english.wordings[part] for part in english.parts(f"{name}.text")) for name in names}
    assert len(said) == len(names)


def test_every_language_has_the_same_messages_with_the_same_links(english: ShopperCatalogue) -> None:
    """Number words are left out where they would have to agree with their noun."""

    def links(messages: ShopperCatalogue) -> dict[str, list[str | None]]:
        said = messages.wordings.items()
        return {key: [forms[0].link for forms in wordings] for key, wordings in said if not key.startswith("number.")}

    for messages in catalogues().values():
        assert links(messages) == links(english)


def test_every_message_is_part_of_a_page_or_is_asked_for_by_name(english: ShopperCatalogue) -> None:
    of_pages = {f"{name}.heading" for name in english.pages}
    of_pages |= {
        part for name in english.pages for place in ("text", "step") for part in english.parts(f"{name}.{place}")
    }
    others = {key for key in english.wordings if key not in of_pages}
    kinds = {"note", "advice", "word", "shape", "format", "number"}
    assert {key for key in others if key.partition(".")[0] not in kinds} == {"things", "these_features"}


def test_every_small_word_and_note_is_asked_for_somewhere(english: ShopperCatalogue) -> None:
    made = {f"{kind}_{act}" for kind in ("hold", "confirm") for act in HolderAct}
    made |= {f"hold_{act}_hint" for act in HolderAct} | {"hold_erase_hint_returned"}
    made |= {f"proof_{state}" for state in ("recalled", "void", "locked", "locked_key_withdrawn", "expired")}
    made |= {"proof_returned_holder", "proof_returned_staff", "proof_handed_on", "proof_erased"}
    folder = Path(server.web.consumer.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.suffix in {".py", ".html"})
    names = {key.split(".")[1] for key in english.wordings if key.startswith(("word.", "note."))}
    assert {name for name in names if f'"{name}"' not in code} == made & names


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_no_page_shows_a_gap_or_a_brace(name: str, maker: PageMaker) -> None:
    page = maker.code_page(EVERY_SEEN[name])
    shown = [page.words.heading, *page.words.sentences, *(step.text for step in page.words.steps), *page.notes]
    assert page.words.heading
    assert page.words.sentences
    assert not [text for text in shown if "{" in text or "None" in text or not text.strip()]


def test_a_sentence_with_an_unknown_fact_is_dropped_whole(english: ShopperCatalogue) -> None:
    told = english.page("expired", {"brand": "Aurora", "expiry": None, "support": ""}, {})
    assert told.sentences == (Markup("The code is Aurora&#39;s."), Markup("Please don&#39;t use the product."))
    assert [step.text for step in told.steps] == ["Bought it after that date? Take it back to the seller"]


def test_the_next_wording_steps_in_where_a_fact_is_unknown(english: ShopperCatalogue) -> None:
    everywhere = english.page("already_verified", {"date": "1 May 2026 (UTC)", "country": "South Korea"}, {})
    nowhere = english.page("already_verified", {"date": "1 May 2026 (UTC)"}, {})
    assert everywhere.sentences[0] == "It was first verified on 1 May 2026 (UTC) in South Korea."
    assert nowhere.sentences[0] == "It was first verified on 1 May 2026 (UTC)."


def test_a_step_whose_place_the_page_does_not_have_is_left_out(english: ShopperCatalogue) -> None:
    with_place = english.page(
        "locked", {"brand": "A", "these_features": "these three features"}, {"compare": "#compare"}
    )
    without = english.page("locked", {"brand": "A", "these_features": "these three features"}, {})
    assert with_place.steps[0].href == "#compare"
    assert [step.text for step in without.steps] == ["Keep pack and receipt"]


@given(fact=st.text(min_size=1))
def test_a_fact_is_always_escaped(fact: str) -> None:
    told = catalogues()["en"].page("not_ours_link", {"host": fact, "brand": "A", "our_host": "b"}, {})
    assert told.sentences[0] == Markup("It leads to <strong>{}</strong>, which is not an address of A.").format(fact)


def test_a_fact_cannot_name_other_facts_or_set_bold(english: ShopperCatalogue) -> None:
    told = english.page("expired", {"brand": "**{expiry}**", "expiry": "1 May 2026"}, {})
    assert told.sentences[0] == "The code is **{expiry}**&#39;s."


@pytest.mark.parametrize("verdict", [Verdict.NOT_ACTIVATED, Verdict.UNUSED])
def test_a_refusal_that_used_nothing_up_says_so(verdict: Verdict, maker: PageMaker) -> None:
    said = " ".join(maker.code_page(seen(verdict)).words.sentences)
    assert "Nothing has been used up" in said or "changes nothing" in said


def test_a_moment_is_written_out_in_utc_wherever_it_was_measured(english: ShopperCatalogue) -> None:
    seoul = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=9)))
    assert english.moment(seoul) == "21 November 2026, 16:30 UTC"
    assert english.day(date(2026, 11, 21)) == "21 November 2026 (UTC)"
    assert english.calendar_date(date(2028, 3, 31)) == "31 March 2028"


def test_the_day_of_a_first_verification_is_utc(maker: PageMaker) -> None:
    facts = replace(USED, first_verified_on=None, first_verified_at=datetime(2026, 11, 20, 23, 59, tzinfo=UTC))
    assert (
        "20 November 2026 (UTC, 4 days ago)"
        in maker.code_page(seen(Verdict.ALREADY_VERIFIED, facts)).words.sentences[0]
    )


def test_countries_are_named_and_unknown_codes_are_not_invented(english: ShopperCatalogue) -> None:
    assert english.country("KR") == "South Korea"
    assert english.country("XQ") is None
    assert english.country(None) is None
    assert english.countries(("KR", "JP", "DE")) == "South Korea, Japan and Germany"
    assert english.countries(()) is None


@pytest.mark.parametrize(("number", "said"), [(1, "one thing"), (3, "three things"), (11, "11 things")])
def test_numbers_of_features_are_words(number: int, said: str, english: ShopperCatalogue) -> None:
    assert english.counted("things", number) == said


@pytest.mark.parametrize("header", ["", "en", "ko, en;q=0.5", "xx", "EN-GB"])
def test_english_answers_whoever_asks_for_a_language_we_do_not_have(header: str) -> None:
    accepted = LanguageAccept([(part.split(";")[0].strip(), 1) for part in header.split(",") if part])
    assert choose_catalogue(accepted).language == "en"


def test_every_link_of_a_step_leads_to_a_place_that_pages_have(english: ShopperCatalogue) -> None:
    links = {sentence.link for sentence in sentences(english) if sentence.link}
    places = {"compare", "product", "home", "photo", "serial", "receipt", "keep", "paste", "hand_on", "undo"}
    assert links == places | {"contact"}
    linked = {key for key, wordings in english.wordings.items() if any(forms[0].link for forms in wordings)}
    assert all(".step." in key for key in linked)


def test_every_page_speaks_only_of_facts_that_somebody_tells(english: ShopperCatalogue) -> None:
    told = {"brand", "our_host", "product", "lot", "date", "moment", "country", "expiry", "recall_date"}
    told |= {"reason", "recall_link", "support", "placement_hint", "picture", "things"}
    told |= {"these_features", "host", "shortened", "advice", "symbols", "serial_length", "wait", "keep_code"}
    told |= {
        "undo_until",
        "ago",
        "heading_date",
        "handed_date",
        "returned_date",
        "taken_back_date",
        "most_symbols",
        "left_out",
        "retry_s",
    }
    spoken = {
        name
        for key, wordings in english.wordings.items()
        if key.rpartition(".heading")[0] or ".text." in key or ".step." in key
        for forms in wordings
        for sentence in forms
        for name in sentence.needs
    }
    assert spoken == told


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "in 1 minute"), (61, "in 2 minutes"), (3120, "in 52 minutes"), (3600, "in 1 hour")]
)
def test_a_wait_is_never_told_too_short(seconds: float, words: str, english: ShopperCatalogue) -> None:
    assert english.wait(seconds) == words
