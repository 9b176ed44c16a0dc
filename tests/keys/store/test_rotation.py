"""Keys that are replaced, withdrawn and handed over: what an issuer does, and what it refuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.base.errors import DomainRefused, KeyIdTaken, KeyringInvalid, KeyStateRefused, UnknownKey
from keys.base.home import issuer_keyring_path
from keys.format.domains import ListedHost, Listing, listed_host
from keys.format.keyring import check_successor, open_keyring
from keys.format.records import Form, KeyState, Profile, Purpose
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.trust import TrustFile

LATER = datetime(2026, 6, 1, 12, 0, 0, 5, tzinfo=UTC)
SECOND = LATER.replace(microsecond=0)
PREFIX = "HTTPS://V.EXAMPLE.COM/"


@pytest.fixture
def unlocked(issuer: IssuerHome, passphrase: str) -> UnlockedIssuer:
    return issuer.unlock(passphrase)


def test_a_rotated_key_signs_the_next_order_and_the_old_one_still_verifies(unlocked: UnlockedIssuer) -> None:
    before = unlocked.keyring.keyring
    old = before.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    new, retired = unlocked.rotate_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=PREFIX, now=LATER)
    after = unlocked.keyring.keyring
    assert retired == (old.key_id,)
    assert after.version == before.version + 1
    assert after.key_for(form=Form.SHORT, profile=Profile.SIGNED) == new
    assert (after.code_key(old.key_id).state, after.code_key(old.key_id).since) == (KeyState.RETIRED, SECOND)
    assert after.code_key(old.key_id).public_key == old.public_key
    assert (new.serial_key, len(unlocked.code_secret(new.key_id))) == (old.serial_key, 32)
    other = before.key_for(form=Form.GS1, profile=Profile.SIGNED)
    assert after.code_key(other.key_id) == other


def test_rotating_where_there_is_no_key_yet_makes_the_first(unlocked: UnlockedIssuer) -> None:
    new, retired = unlocked.rotate_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=PREFIX, now=LATER)
    assert (new.profile, retired) == (Profile.COMPACT, ())


def test_a_withdrawn_key_has_its_moment_and_reason_and_issues_no_more(unlocked: UnlockedIssuer) -> None:
    key = unlocked.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    since = LATER - timedelta(days=3)
    unlocked.withdraw_code_key(key.key_id, since=since, reason="laptop stolen", now=LATER)
    told = unlocked.keyring.keyring.code_key(key.key_id)
    assert (told.state, told.since, told.reason) == (KeyState.WITHDRAWN, since.replace(microsecond=0), "laptop stolen")
    with pytest.raises(Exception, match="no active signed key"):
        unlocked.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)


def test_a_withdrawal_reaches_further_back_and_never_less_far(unlocked: UnlockedIssuer) -> None:
    key_id = unlocked.keyring.keyring.code_keys[0].key_id
    unlocked.withdraw_code_key(key_id, since=LATER, reason="lost", now=LATER)
    earlier = LATER - timedelta(days=30)
    unlocked.withdraw_code_key(key_id, since=earlier, reason="lost in May", now=LATER)
    with pytest.raises(KeyStateRefused, match="gets no later"):
        unlocked.withdraw_code_key(key_id, since=LATER, reason="lost", now=LATER)
    assert unlocked.keyring.keyring.code_key(key_id).reason == "lost in May"


def test_a_withdrawal_that_cannot_be_published_changes_nothing(unlocked: UnlockedIssuer) -> None:
    before = unlocked.keyring
    key_id = before.keyring.code_keys[0].key_id
    with pytest.raises(KeyStateRefused, match="has come"):
        unlocked.withdraw_code_key(key_id, since=LATER + timedelta(seconds=1), reason="lost", now=LATER)
    for reason in ("", "x" * 201):
        with pytest.raises(KeyringInvalid):
            unlocked.withdraw_code_key(key_id, since=LATER, reason=reason, now=LATER)
    with pytest.raises(UnknownKey):
        unlocked.withdraw_code_key("zz", since=LATER, reason="lost", now=LATER)
    assert unlocked.keyring == before


def test_no_key_goes_back_to_an_earlier_state(unlocked: UnlockedIssuer) -> None:
    from dataclasses import replace

    first = unlocked.keyring.keyring
    unlocked.rotate_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=PREFIX, now=LATER)
    second = unlocked.keyring.keyring
    revived = replace(second, version=9, code_keys=(*first.code_keys, second.code_keys[-1]))
    with pytest.raises(KeyStateRefused, match="goes back to active"):
        check_successor(second, revived)
    reused = replace(first.code_keys[0], public_key=second.code_keys[-1].public_key)
    with pytest.raises(KeyIdTaken):
        check_successor(second, replace(second, version=9, code_keys=(reused, *second.code_keys[1:])))


def test_a_new_office_key_signs_manifests_and_the_old_one_still_counts(unlocked: UnlockedIssuer) -> None:
    old = unlocked.office_key()
    fingerprint = unlocked.rotate_office_key(LATER)
    assert unlocked.office_key().fingerprint == fingerprint != old.fingerprint
    states = {key.fingerprint: key.state for key in unlocked.keyring.keyring.office_keys}
    assert states == {old.fingerprint: KeyState.RETIRED, fingerprint: KeyState.ACTIVE}


def test_an_office_key_in_other_hands_is_withdrawn_with_those_before_it(unlocked: UnlockedIssuer) -> None:
    unlocked.rotate_office_key(LATER)
    newest = unlocked.rotate_office_key(LATER + timedelta(days=1), withdraw_old=True)
    states = [key.state for key in unlocked.keyring.keyring.office_keys]
    assert states == [KeyState.WITHDRAWN, KeyState.WITHDRAWN, KeyState.ACTIVE]
    assert unlocked.office_key().fingerprint == newest
    unlocked.rotate_office_key(LATER + timedelta(days=2))
    assert [key.state for key in unlocked.keyring.keyring.office_keys][:2] == [KeyState.WITHDRAWN] * 2


def test_a_new_root_is_signed_by_the_old_one_and_verifiers_follow(
    unlocked: UnlockedIssuer, home: Path, tmp_path: Path, passphrase: str
) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    first = trust.admit(unlocked.keyring.document)
    second = unlocked.rotate_root(LATER)
    assert second.root_fingerprint != first.root_fingerprint
    assert second.earlier_roots == (first.root_fingerprint,)
    assert trust.admit(second.document) == second
    unlocked.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=PREFIX, now=LATER)
    third = unlocked.rotate_root(LATER + timedelta(days=1))
    assert third.earlier_roots == (first.root_fingerprint, second.root_fingerprint)
    reopened = IssuerHome.open(home)
    assert reopened.keyring == third
    reopened.unlock(passphrase).refresh_keyring(LATER + timedelta(days=25))
    assert trust.admit(issuer_keyring_path(home).read_bytes()).keyring.version == third.keyring.version + 1


def test_the_old_roots_secret_is_gone_once_the_new_one_is_published(unlocked: UnlockedIssuer) -> None:
    unlocked.rotate_root(LATER)
    held = [header.key_id for header in unlocked._store.headers() if header.purpose is Purpose.ROOT]  # noqa: SLF001 - what lies there is the point
    assert held == [unlocked.keyring.root_fingerprint.removeprefix("sha256:")[:16]]


def test_a_home_killed_between_keyring_and_brand_file_goes_on_under_the_new_root(
    unlocked: UnlockedIssuer, home: Path, passphrase: str
) -> None:
    brand_file = home / "issuer" / "brand.json"
    as_before = brand_file.read_bytes()
    rotated = unlocked.rotate_root(LATER)
    brand_file.write_bytes(as_before)
    again = IssuerHome.open(home).unlock(passphrase)
    assert again.keyring == rotated
    key, _retired = again.rotate_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=PREFIX, now=LATER)
    assert open_keyring(again.keyring.document, root_fingerprint=rotated.root_fingerprint).keyring.code_key(key.key_id)


def test_verifiers_sixteen_roots_back_follow_and_older_ones_pin_anew(unlocked: UnlockedIssuer) -> None:
    first = unlocked.keyring.root_fingerprint
    roots = [unlocked.rotate_root(LATER).root_fingerprint for _ in range(17)]
    assert unlocked.keyring.earlier_roots == tuple(roots[:-1])
    assert not unlocked.keyring.follows(first)


# --- Domains of partners and known look-alikes.


def test_domains_are_listed_signed_in_the_next_version_and_taken_off_again(unlocked: UnlockedIssuer) -> None:
    first = unlocked.keyring
    opened = unlocked.add_domains({Listing.LOOKALIKE: ["Blue-Stars.example", "b1ue.example"]}, LATER)
    assert opened.keyring.lookalike_domains == ("blue-stars.example", "b1ue.example")
    assert opened.keyring.version == first.keyring.version + 1
    assert open_keyring(opened.document, root_fingerprint=first.root_fingerprint).keyring == opened.keyring
    assert unlocked.add_domains({Listing.LOOKALIKE: ["b1ue.example"]}, LATER).keyring.version == opened.keyring.version
    both = unlocked.add_domains({Listing.PARTNER: ["shop.example"]}, LATER).keyring
    assert (both.lookalike_domains, both.partner_domains) == (opened.keyring.lookalike_domains, ("shop.example",))
    left = unlocked.unlist_domains(["shop.example", "B1UE.example"], LATER).keyring
    assert (left.lookalike_domains, left.partner_domains) == (("blue-stars.example",), ())
    later = unlocked.rotate_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=PREFIX, now=LATER)
    assert later
    assert unlocked.keyring.keyring.lookalike_domains == ("blue-stars.example",)


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("https://a.example/", "write the domain alone"),
        ("a b.example", "write the domain alone"),
        ("com", "write the domain alone"),
        ("münchen.example", "write the domain alone"),
        ("*.example.net", "write the domain alone"),
        (".example.net", "write the domain alone"),
        ("v.example.com", "codes of the brand itself"),
        ("example.com", "codes of the brand itself"),
        ("exarnple.com", "it looks like example.com, where the brand's own codes lead; list it as a look-alike"),
        ("shop.examp1e.com", "it looks like example.com"),
        ("xn--v-7sb.xn--exmple-4nf.com", "mixes Cyrillic and Latin letters"),
        ("other.example", "on the other list"),
        ("shop.other.example", "other.example, which has hosts in common with it, is on the other list"),
        ("SHOP.www.low.example", "www.low.example, which has"),
        ("low.example", "www.low.example, which has hosts in common with it, is on the other list"),
    ],
)
def test_a_domain_that_cannot_be_listed_is_refused_and_nothing_is_published(
    unlocked: UnlockedIssuer, domain: str, reason: str
) -> None:
    before = unlocked.add_domains({Listing.LOOKALIKE: ["other.example", "www.low.example"]}, LATER)
    with pytest.raises(DomainRefused, match=reason):
        unlocked.add_domains({Listing.PARTNER: ["fine.example", domain]}, LATER)
    with pytest.raises(DomainRefused, match="is on no list"):
        unlocked.unlist_domains(["other.example", "nowhere.example"], LATER)
    assert unlocked.keyring == before


def test_two_lists_of_one_command_are_held_against_each_other(unlocked: UnlockedIssuer) -> None:
    before = unlocked.keyring
    for partner, lookalike in (("a.b.example", "b.example"), ("b.example", "a.b.example"), ("b.example", "B.example")):
        with pytest.raises(DomainRefused, match="on the other list"):
            unlocked.add_domains({Listing.PARTNER: [partner], Listing.LOOKALIKE: [lookalike]}, LATER)
    assert unlocked.keyring == before
    beside = unlocked.add_domains({Listing.PARTNER: ["ab.example"], Listing.LOOKALIKE: ["b.example"]}, LATER)
    assert (beside.keyring.partner_domains, beside.keyring.lookalike_domains) == (("ab.example",), ("b.example",))


def test_a_list_of_domains_has_an_end(unlocked: UnlockedIssuer) -> None:
    unlocked.add_domains({Listing.PARTNER: [f"n{number}.example" for number in range(1000)]}, LATER)
    with pytest.raises(DomainRefused, match="at most 1000"):
        unlocked.add_domains({Listing.PARTNER: ["more.example"]}, LATER)


def test_a_host_on_both_lists_is_a_look_alikes_and_a_domain_stands_for_all_hosts_below_it(
    unlocked: UnlockedIssuer,
) -> None:
    from dataclasses import replace

    listed = replace(
        unlocked.keyring.keyring, partner_domains=("a.example", "b.example"), lookalike_domains=("b.example",)
    )
    found = {host: listed_host(host, [listed]) for host in ("a.example", "x.a.example", "x.b.example", "aa.example")}
    kinds = {host: one.listing if one else None for host, one in found.items()}
    assert list(kinds.values()) == [Listing.PARTNER, Listing.PARTNER, Listing.LOOKALIKE, None]
    assert found["x.b.example"] == ListedHost(
        listing=Listing.LOOKALIKE, brand_id=listed.brand_id, brand=listed.brand, domain="b.example"
    )
