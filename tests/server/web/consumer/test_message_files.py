"""How texts are found in gettext files: keys, wordings, facts, plural forms, and the files that the build makes."""

import io
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import PoFileError, read_po

from server.web.catalogue import Catalogue, CatalogueMissing, catalogue, placeholders, sources

HEADER = r"""
msgid ""
msgstr ""
"Language: {language}\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: {plural_forms}\n"
"""
ENGLISH = HEADER.format(language="en_GB", plural_forms="nplurals=2; plural=(n != 1);")
ARABIC = HEADER.format(
    language="ar",
    plural_forms="nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
)


def english(messages: str) -> Catalogue:
    return Catalogue("en", read_po(io.BytesIO((ENGLISH + messages).encode())))


SEEN = """
msgid "seen"
msgstr "On {day} in {country}"

msgid "seen/2"
msgstr "On {day}"

msgctxt "link: compare, needs: picture support"
msgid "step.1"
msgstr "Compare it with the picture"
"""


def test_the_next_wording_steps_in_where_a_fact_is_unknown_and_nothing_where_all_lack_one() -> None:
    messages = english(SEEN)
    assert messages.text("seen", day="1 May", country="Peru") == "On 1 May in Peru"
    assert messages.text("seen", day="1 May", country=None) == messages.text("seen", day="1 May", country="")
    assert messages.text("seen", day="1 May") == "On 1 May"
    assert messages.text("seen", country="Peru") is None


def test_a_fact_that_is_zero_is_known() -> None:
    assert english(SEEN).text("seen", day=0) == "On 0"


def test_a_fact_is_never_read_as_a_template() -> None:
    assert english(SEEN).text("seen", day="{country}") == "On {country}"


def test_a_context_names_the_link_and_the_facts_that_are_not_shown() -> None:
    (((step,),),) = (english(SEEN).wordings["step.1"],)
    assert (step.link, step.needs) == ("compare", {"picture", "support"})
    facts = {"picture": "p", "support": "s"}
    assert english(SEEN).choose("step.1", facts, {"compare"}) == step
    assert english(SEEN).choose("step.1", facts) is None
    assert english(SEEN).choose("step.1", {"picture": "p"}, {"compare"}) is None


def test_an_unknown_key_is_an_error_and_never_shown() -> None:
    with pytest.raises(KeyError, match="sen"):
        english(SEEN).text("sen")


def test_a_text_that_is_not_translated_or_only_guessed_is_not_there() -> None:
    messages = english('\nmsgid "later"\nmsgstr ""\n\n#, fuzzy\nmsgid "guessed"\nmsgstr "Perhaps"\n')
    assert messages.wordings == {}


def test_a_number_is_written_as_the_language_does_and_takes_its_plural_form() -> None:
    messages = english(
        '\nmsgid "n"\nmsgid_plural "n"\nmsgstr[0] "{n} network of {brand}"\nmsgstr[1] "{n} networks of {brand}"\n'
    )
    assert messages.plural("n", 1, brand="Aurora") == "1 network of Aurora"
    assert messages.plural("n", 3114, brand="Aurora") == "3,114 networks of Aurora"
    assert messages.plural("n", 3114) is None


def test_arabic_has_six_plural_forms(tmp_path: Path) -> None:
    """Zero, one, two, few (3 to 10), many (11 to 99), other (100 to 102), over and over."""
    forms = ("zero", "one", "two", "few {n}", "many {n}", "other {n}")
    texts = "\n".join(f'msgstr[{index}] "{form}"' for index, form in enumerate(forms))
    file = tmp_path / "ar" / "LC_MESSAGES" / "staff.po"
    file.parent.mkdir(parents=True)
    file.write_text(f'{ARABIC}\nmsgid "packs"\nmsgid_plural "packs"\n{texts}\n', encoding="utf-8")
    messages = Catalogue("ar", sources("staff", tmp_path)["ar"])
    said = {
        number: (messages.plural("packs", number) or "").split()[0] for number in (0, 1, 2, 3, 10, 11, 99, 100, 103)
    }
    assert list(said.values()) == ["zero", "one", "two", "few", "few", "many", "many", "other", "few"]


@pytest.mark.parametrize("domain", ["shoppers", "staff"])
def test_what_the_build_compiles_reads_as_its_source_does(domain: str, tmp_path: Path) -> None:
    for language, source in sources(domain).items():
        compiled = tmp_path / language / "LC_MESSAGES" / f"{domain}.mo"
        compiled.parent.mkdir(parents=True)
        with compiled.open("wb") as target:
            write_mo(target, source)
        with compiled.open("rb") as written:
            read = Catalogue(language, read_mo(written))
        assert read.wordings == catalogue(domain, language).wordings
        assert (read.locale, read.plural("x", 1) if "x" in read.wordings else None) == (source.locale, None)
        assert sources(domain, tmp_path).keys() == sources(domain).keys()


def test_a_file_that_is_not_well_formed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "en" / "LC_MESSAGES" / "staff.po"
    file.parent.mkdir(parents=True)
    file.write_text(f'{ENGLISH}\nmgid "a"\nmsgstr "b"\n', encoding="utf-8")
    with pytest.raises(PoFileError):
        sources("staff", tmp_path)


def test_placeholders_are_found_and_nothing_else() -> None:
    assert placeholders("On {date} in {country}: {date}") == {"date", "country"}
    assert placeholders("no fact") == frozenset()


@pytest.mark.parametrize("folder", ["", "absent"])
def test_an_installation_without_texts_is_refused_with_one_sentence(folder: str, tmp_path: Path) -> None:
    (tmp_path / "en" / "LC_MESSAGES").mkdir(parents=True)
    with pytest.raises(CatalogueMissing, match=r"^There are no texts of the domain staff in \S+; install the server"):
        sources("staff", tmp_path / folder)
