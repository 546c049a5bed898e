"""Watchlists in XML: OFAC (SDN.XML and the advanced form), the UK (both), the EU's and the UN's consolidated lists.

Each is told by its root element. They are read record by record: the advanced list has over 100 MB.
"""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

from roadstead.ais.identity.registry import imo_is_valid
from roadstead.ais.identity.watchlist_fields import (
    NO_VESSEL,
    DateError,
    callsign_in,
    date_of,
    entries_of,
    imos_in,
    imos_of,
    kind_of,
    known,
    mmsis_in,
    names_a_company,
)
from roadstead.ais.identity.watchlist_tables import Content
from roadstead.core.errors import BadInputError

Element = ElementTree.Element
_SHIP_IMO = re.compile(r"[5-9]\d{6}")
_VESSEL_WORDS = re.compile(r"\b(?:vessel|ship|tanker|cargo)\b", re.IGNORECASE)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements of some names under an element, in lower case, whatever their namespace."""
    wanted = set(names)
    return (one for one in element.iter() if _tag(one).lower() in wanted)


def _texts(element: Element, *names: str) -> list[str]:
    return [text for one in _all(element, *names) if (text := known(one.text or "")) is not None]


def _text(element: Element, *names: str) -> str:
    return next(iter(_texts(element, *names)), "")


def read_xml(raw: bytes, path: Path) -> Content:
    """Read a list in XML.

    Raises:
        BadInputError: it is no whole XML, declares entities, or is of a kind that we do not know.
    """
    head = raw[:65_536].replace(b"\x00", b"")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise BadInputError(f"{path}: XML with a document type is not read; no publisher's list has one")
    try:
        events = ElementTree.iterparse(io.BytesIO(raw), events=("start", "end"))  # noqa: S314 - see above
        _, root = next(events)
        form = _FORMS.get(_tag(root).lower())
        if form is None:
            raise BadInputError(
                f"{path}: an XML of a kind that we do not know ({_tag(root)}); read are those of OFAC (also advanced), "
                "the UK, the EU and the UN"
            )
        content = form.read(root, _records(events, root, form.records))
        content.form = form.name
    except ElementTree.ParseError as error:
        raise BadInputError(f"{path}: the watchlist is no whole XML: {error}") from error
    except DateError as error:
        raise BadInputError(f"{path}: {error}") from error
    return content


def _records(
    events: Iterable[tuple[str, Element]], root: Element, names: frozenset[str]
) -> Iterator[Element]:
    """Yield the elements of some names once they are whole, and forget each after."""
    inside = 0
    for event, element in events:
        is_record = _tag(element).lower() in names
        if is_record:
            inside += 1 if event == "start" else -1
        if is_record and event == "end" and not inside:
            yield element
            element.clear()


def _sdn(root: Element, records: Iterator[Element]) -> Content:
    content = Content("", {"name": "lastName", "alias": "aka", "imo, mmsi": "idNumber", "callsign": "callSign",
                           "programme": "program"})  # fmt: skip
    for record in records:
        if _tag(record) == "publshInformation":
            content.dated = _day(_text(record, "publish_date"), day_first=False)
        elif kind_of(_text(record, "sdntype")) != "vessel":
            content.counted[NO_VESSEL] += 1
        else:
            numbers = [(_text(one, "idtype"), _text(one, "idnumber")) for one in _all(record, "id")]
            told = (
                " | ".join(f"{kind} {number}" for kind, number in numbers) + " | " + _text(record, "remarks")
            )
            content.entries += entries_of(
                tuple(dict.fromkeys(_texts(record, "lastname"))),
                imos_in(told, content.counted),
                mmsis_in(told),
                content.counted,
                callsign=_text(record, "callsign") or None,
                programme=", ".join(_texts(record, "program")) or None,
            )
    return content


@dataclass
class _Advanced:
    """What the parts of the advanced list tell, until all are read."""

    vessel_types: set[str] = field(default_factory=set)
    document_types: dict[str, str] = field(default_factory=dict)
    feature_types: dict[str, str] = field(default_factory=dict)
    documents: defaultdict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """Identity -> kind and number of each registration."""
    vessels: dict[str, tuple[list[str], list[str], str | None]] = field(default_factory=dict)
    """Profile -> names, identities, call sign."""
    listed: dict[str, date] = field(default_factory=dict)
    programmes: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    others: int = 0


def _advanced(root: Element, records: Iterator[Element]) -> Content:
    content = Content("", {"name": "NamePartValue", "imo, mmsi": "IDRegistrationNo", "callsign": "VersionDetail",
                           "listed": "EntryEvent", "programme": "SanctionsMeasure"})  # fmt: skip
    known_so_far = _Advanced()
    readers: dict[str, Callable[[Element, _Advanced], None]] = {
        "partysubtype": _note_subtype,
        "idregdoctype": lambda one, told: told.document_types.update({one.get("ID", ""): one.text or ""}),
        "featuretype": lambda one, told: told.feature_types.update({one.get("ID", ""): one.text or ""}),
        "idregdocument": _note_document,
        "distinctparty": _note_party,
        "sanctionsentry": _note_entry,
    }
    for record in records:
        if _tag(record) == "DateOfIssue":
            content.dated = _parts_of_day(record)
        else:
            readers[_tag(record).lower()](record, known_so_far)
    _add_advanced(known_so_far, content)
    return content


def _note_subtype(one: Element, told: _Advanced) -> None:
    if kind_of(one.text or "") == "vessel":
        told.vessel_types.add(one.get("ID", ""))


def _note_document(one: Element, told: _Advanced) -> None:
    kind = told.document_types.get(one.get("IDRegDocTypeID", ""), "")
    told.documents[one.get("IdentityID", "")].append((kind, _text(one, "idregistrationno")))


def _note_party(one: Element, told: _Advanced) -> None:
    for profile in _all(one, "profile"):
        if profile.get("PartySubTypeID", "") not in told.vessel_types:
            told.others += 1
            continue
        names = [" ".join(_texts(name, "namepartvalue")) for name in _all(profile, "documentedname")]
        signs = [
            _text(feature, "versiondetail")
            for feature in _all(profile, "feature")
            if "call sign" in told.feature_types.get(feature.get("FeatureTypeID", ""), "").lower()
        ]
        identities = [identity.get("ID", "") for identity in _all(profile, "identity")]
        told.vessels[profile.get("ID", "")] = (
            [name for name in names if name],
            identities,
            next((sign for sign in signs if sign), None),
        )


def _note_entry(one: Element, told: _Advanced) -> None:
    profile = one.get("ProfileID", "")
    days = [day for event in _all(one, "entryevent") if (day := _parts_of_day(event)) is not None]
    if days:
        told.listed[profile] = min(days)
    told.programmes[profile] += [
        text for measure in _all(one, "sanctionsmeasure") for text in _texts(measure, "comment")
    ]


def _add_advanced(told: _Advanced, content: Content) -> None:
    if told.others:
        content.counted[NO_VESSEL] += told.others
    for profile, (names, identities, sign) in told.vessels.items():
        documents = [document for identity in identities for document in told.documents.get(identity, ())]
        numbers = " | ".join(f"{kind} {number}" for kind, number in documents)
        content.entries += entries_of(
            tuple(dict.fromkeys(names)),
            imos_in(numbers, content.counted),
            mmsis_in(numbers),
            content.counted,
            callsign=sign,
            listed=told.listed.get(profile),
            programme=", ".join(dict.fromkeys(told.programmes.get(profile, ()))) or None,
        )


def _parts_of_day(element: Element) -> date | None:
    parts = [_text(element, name) for name in ("year", "month", "day")]
    return date(*map(int, parts)) if all(part.isdigit() for part in parts) else None


def _uk(root: Element, records: Iterator[Element]) -> Content:
    """Read the UK sanctions list (one record a designation) or its consolidated list (one record a name)."""
    content = Content("", {"name": "Name6", "kind": "IndividualEntityShip / GroupTypeDescription", "imo": "IMO number",
                           "listed": "DateDesignated / DateListed", "programme": "RegimeName"})  # fmt: skip
    merged: dict[str, list[Element]] = {}
    for n, record in enumerate(records):
        if _tag(record) == "DateGenerated":
            content.dated = _day(record.text or "", day_first=True)
            continue
        kind = _text(record, "individualentityship", "grouptypedescription")
        if kind_of(kind) != "vessel":
            content.counted[NO_VESSEL] += 1
            continue
        # The record is emptied once the next one is read.
        merged.setdefault(_text(record, "uniqueid", "groupid") or f"record {n}", []).append(deepcopy(record))
    for group in merged.values():
        _add_uk(group, content)
    return content


def _add_uk(group: list[Element], content: Content) -> None:
    numbers = [
        one.text or ""
        for record in group
        for one in record.iter()
        if "imonumber" in _flat(_tag(one)) and not len(one)
    ]
    text = " | ".join(
        text
        for record in group
        for text in _texts(record, "otherinformation", "furtheridentifiyinginformation")
    )
    imos = [imo for number in numbers for imo in imos_of(number, content.counted)] or list(
        imos_in(text, content.counted)
    )
    days = [
        day
        for record in group
        if (day := date_of(_text(record, "datedesignated", "dateuklisted", "datelisted"), day_first=True))
        is not None
    ]
    content.entries += entries_of(
        tuple(dict.fromkeys(name for record in group for name in _texts(record, "name6"))),
        tuple(dict.fromkeys(imos)),
        mmsis_in(text),
        content.counted,
        callsign=_text(group[0], "ship_callsign") or callsign_in(text),
        listed=min(days, default=None),
        programme=_text(group[0], "regimename", "regime") or None,
    )


def _flat(tag: str) -> str:
    return tag.lower().replace("_", "")


def _eu(root: Element, records: Iterator[Element]) -> Content:
    """Read the EU's consolidated financial sanctions: a vessel has an IMO number as its identification."""
    content = Content("", {"name": "nameAlias", "imo": "identification", "programme": "regulation"},
                      dated=_day((root.get("generationDate") or "")[:10], day_first=True))  # fmt: skip
    for record in records:
        codes = [one.get("code", "") for one in _all(record, "subjecttype")]
        numbers = [
            one.get("number", "")
            for one in _all(record, "identification")
            if "imo" in one.get("identificationTypeCode", "").lower()
        ]
        if not any(kind_of(code) == "vessel" for code in codes) and not any(map(imo_is_valid, numbers)):
            content.counted[NO_VESSEL] += 1
            continue
        regulations = list(_all(record, "regulation"))
        content.entries += entries_of(
            tuple(
                dict.fromkeys(
                    one.get("wholeName", "") for one in _all(record, "namealias") if one.get("wholeName")
                )
            ),
            tuple(imo for number in numbers for imo in imos_of(number, content.counted)),
            (),
            content.counted,
            listed=_day(next((one.get("publicationDate", "") for one in regulations), "")),
            programme=next((one.get("programme") for one in regulations if one.get("programme")), None),
        )
    return content


def _un(root: Element, records: Iterator[Element]) -> Content:
    """Read the UN's consolidated list: its few vessels stand among entities, with a ship's number."""
    content = Content("", {"name": "FIRST_NAME", "alias": "ALIAS_NAME", "imo": "COMMENTS1", "listed": "LISTED_ON",
                           "programme": "UN_LIST_TYPE"})  # fmt: skip
    content.dated = _day((root.get("dateGenerated") or "")[:10])
    for record in records:
        name = _text(record, "first_name")
        text = " | ".join([name, *_texts(record, "comments1", "note", "number")])
        unused: Counter[str] = Counter()
        imos = [imo for imo in imos_in(text, unused) if _SHIP_IMO.fullmatch(imo)]
        is_vessel = imos and _VESSEL_WORDS.search(text) and not names_a_company(name)
        if _tag(record) == "INDIVIDUAL" or not is_vessel:
            content.counted[NO_VESSEL] += 1
            continue
        content.entries += entries_of(
            tuple(dict.fromkeys([name, *_texts(record, "alias_name")])),
            tuple(imos),
            mmsis_in(text),
            content.counted,
            callsign=callsign_in(text),
            listed=date_of(_text(record, "listed_on")),
            programme=_text(record, "un_list_type") or None,
        )
    return content


def _day(text: str, day_first: bool | None = None) -> date | None:
    """Return the day that a list says it is of; None where it cannot be read, since the file's time stands in."""
    try:
        return date_of(text, day_first)
    except DateError:
        return None


@dataclass(frozen=True)
class _Form:
    name: str
    records: frozenset[str]
    read: Callable[[Element, Iterator[Element]], Content]


_UK_RECORDS = frozenset({"designation", "financialsanctionstarget", "dategenerated"})
_FORMS = {
    "sdnlist": _Form("OFAC SDN.XML", frozenset({"sdnentry", "publshinformation"}), _sdn),
    "sanctions": _Form(
        "OFAC advanced XML",
        frozenset(
            {
                "dateofissue",
                "partysubtype",
                "idregdoctype",
                "featuretype",
                "idregdocument",
                "distinctparty",
                "sanctionsentry",
            }
        ),
        _advanced,
    ),
    "designations": _Form("UK sanctions list, XML", _UK_RECORDS, _uk),
    "arrayoffinancialsanctionstarget": _Form("UK consolidated list (ConList), XML", _UK_RECORDS, _uk),
    "export": _Form("EU consolidated list, XML", frozenset({"sanctionentity"}), _eu),
    "consolidated_list": _Form("UN consolidated list, XML", frozenset({"individual", "entity"}), _un),
}
"""Root element, in lower case -> how it is read."""
