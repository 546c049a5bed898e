"""Lists as their publishers, and people, write them: read right and told what was read, or refused; never half."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roadstead.ais.identity.registry import imo_check_digit
from roadstead.ais.identity.watchlist_files import read_watchlist
from roadstead.ais.identity.watchlists import Entry, Identifiers, Watchlist, matches, rank
from roadstead.apps.cli.main import app
from roadstead.core.errors import BadInputError
from tests.unit.ais.messages import BAD_IMO, GOOD_IMO, SHIP, position, voyage, write

OTHER_IMO = "999998" + imo_check_digit("999998")
COMPANY_IMO = "999997" + imo_check_digit("999997")
OTHER_MMSI = "445999001"


def read(tmp_path: Path, text: str | bytes, name: str = "list.csv") -> Watchlist:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_watchlist(path)


def only(tmp_path: Path, text: str | bytes, name: str = "list.csv") -> Entry:
    (entry,) = read(tmp_path, text, name).entries
    return entry


# OFAC

REMARKS = (
    f"Former Vessel Flag Malta; Vessel Registration Identification IMO {GOOD_IMO}; MMSI {OTHER_MMSI}; "
    f"alt. MMSI {SHIP}; Linked To: MADE UP CO."
)
SDN = (
    '36,"MADE UP AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Nowhere."\r\n'
    '9647,"GREY HERON","vessel","IRAN] [IFSR",-0- ,"P7TST","Bulk Carrier",-0- ,-0- ,"Malta",-0- ,'
    f'"{REMARKS}"\r\n\x1a\r\n'
)
SDN_HEADER = (
    "ent_num,SDN_Name,SDN_Type,Program,Title,Call_Sign,Vess_type,Tonnage,GRT,Vess_flag,Vess_owner,Remarks\r\n"
)
SDN_XML = f"""<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="https://example.org/XML"><publshInformation><Publish_Date>05/03/2024</Publish_Date></publshInformation>
<sdnEntry><uid>1</uid><lastName>MADE UP CO</lastName><sdnType>Entity</sdnType></sdnEntry>
<sdnEntry><uid>2</uid><lastName>GREY HERON</lastName><sdnType>Vessel</sdnType>
<programList><program>IRAN</program><program>IFSR</program></programList>
<akaList><aka><uid>3</uid><type>a.k.a.</type><lastName>OLD HERON</lastName></aka></akaList>
<idList><id><idType>Vessel Registration Identification</idType><idNumber>IMO {GOOD_IMO}</idNumber></id>
<id><idType>MMSI</idType><idNumber>{OTHER_MMSI}</idNumber></id><id><idType>MMSI</idType><idNumber>{SHIP}</idNumber></id>
</idList><vesselInfo><callSign>P7TST</callSign></vesselInfo></sdnEntry></sdnList>"""
ADVANCED = f"""<?xml version="1.0"?><Sanctions xmlns="https://example.org/ADVANCED_XML">
<DateOfIssue><Year>2024</Year><Month>5</Month><Day>3</Day></DateOfIssue>
<ReferenceValueSets>
<FeatureTypeValues><FeatureType ID="1">VESSEL CALL SIGN</FeatureType><FeatureType ID="3">VESSEL FLAG</FeatureType>
</FeatureTypeValues>
<IDRegDocTypeValues><IDRegDocType ID="1626">Vessel Registration Identification</IDRegDocType>
<IDRegDocType ID="91264">MMSI</IDRegDocType></IDRegDocTypeValues>
<PartySubTypeValues><PartySubType ID="1">Vessel</PartySubType><PartySubType ID="4">Individual</PartySubType>
</PartySubTypeValues>
</ReferenceValueSets>
<IDRegDocuments>
<IDRegDocument ID="9" IDRegDocTypeID="1626" IdentityID="70"><IDRegistrationNo>IMO {GOOD_IMO}</IDRegistrationNo>
</IDRegDocument>
<IDRegDocument ID="8" IDRegDocTypeID="91264" IdentityID="70"><IDRegistrationNo>{OTHER_MMSI}</IDRegistrationNo>
</IDRegDocument>
<IDRegDocument ID="7" IDRegDocTypeID="91264" IdentityID="70"><IDRegistrationNo>{SHIP}</IDRegistrationNo></IDRegDocument>
</IDRegDocuments>
<DistinctParties>
<DistinctParty FixedRef="5"><Profile ID="5" PartySubTypeID="4"><Identity ID="60"/></Profile></DistinctParty>
<DistinctParty FixedRef="7"><Profile ID="7" PartySubTypeID="1"><Identity ID="70" Primary="true">
<Alias><DocumentedName><DocumentedNamePart><NamePartValue>GREY HERON</NamePartValue></DocumentedNamePart>
</DocumentedName></Alias>
<Alias><DocumentedName><DocumentedNamePart><NamePartValue>OLD HERON</NamePartValue></DocumentedNamePart>
</DocumentedName></Alias>
</Identity><Feature ID="1" FeatureTypeID="3"><FeatureVersion><VersionDetail>Malta</VersionDetail></FeatureVersion>
</Feature>
<Feature ID="2" FeatureTypeID="1"><FeatureVersion><VersionDetail>P7TST</VersionDetail></FeatureVersion></Feature>
</Profile></DistinctParty>
</DistinctParties>
<SanctionsEntries><SanctionsEntry ID="7" ProfileID="7">
<EntryEvent><Date><Year>2018</Year><Month>3</Month><Day>30</Day></Date></EntryEvent>
<SanctionsMeasure><Comment>IRAN</Comment></SanctionsMeasure><SanctionsMeasure><Comment>IFSR</Comment></SanctionsMeasure>
</SanctionsEntry></SanctionsEntries></Sanctions>"""


@pytest.mark.parametrize(
    "text", [SDN, SDN_HEADER + SDN, SDN_XML, ADVANCED], ids=["bare", "header", "xml", "advanced"]
)
def test_ofac_s_list_is_read_in_every_form(tmp_path: Path, text: str) -> None:
    told = read(tmp_path, text)
    (entry,) = told.entries
    assert (entry.names[0], entry.imo, entry.callsign) == ("GREY HERON", GOOD_IMO, "P7TST")
    assert entry.mmsis == (OTHER_MMSI, str(SHIP))
    assert entry.programme == "IRAN, IFSR"
    assert told.counted["entries that are no vessels"] == 1
    by_second_mmsi = Identifiers(str(SHIP), name="GREY HERON")
    assert rank(matches(by_second_mmsi, [told], date(2024, 6, 1))) == 1


def test_the_advanced_list_tells_when_a_vessel_was_listed_and_xml_of_what_day_it_is(tmp_path: Path) -> None:
    assert only(tmp_path, ADVANCED).listed == date(2018, 3, 30)
    for text in (SDN_XML, ADVANCED):
        assert (read(tmp_path, text).retrieved, read(tmp_path, text).retrieved_from) == (
            date(2024, 5, 3),
            "file",
        )


def test_the_names_that_ofac_keeps_in_a_file_beside_are_read_with_its_list(tmp_path: Path) -> None:
    (tmp_path / "ALT.CSV").write_text('9647,501,"aka","OLD HERON","-0- "\r\n36,1,"aka","OTHER","-0- "\r\n')
    for text in (SDN, SDN_HEADER + SDN):
        assert only(tmp_path, text, "SDN.CSV").names == ("GREY HERON", "OLD HERON")
    with pytest.raises(BadInputError, match=r"ALT\.CSV: looks like a part of OFAC's list.*give SDN\.CSV"):
        read_watchlist(tmp_path / "ALT.CSV")


# United Kingdom

UK = (
    "Report Date: 12-Nov-2024\n"
    "Last Updated,Unique ID,Name 6,Name 1,Name type,Regime Name,Designation Type,Other Information,Date Designated,"
    "IMO number,Type of ship\n"
    f"01/02/2024,RUS1,GREY HERON,,Primary Name,Russia,Ship,,05/03/2024,{GOOD_IMO},Tanker\n"
    f"01/02/2024,RUS1,OLD HERON,,Alias,Russia,Ship,,05/03/2024,{GOOD_IMO},Tanker\n"
    f"01/02/2024,RUS2,HERON SHIPPING,,Primary Name,Russia,Entity,IMO number: {OTHER_IMO},05/03/2024,,\n"
)
CONLIST = (
    "Last Updated,12/11/2024\n"
    "Name 6,Name 1,Other Information,Group Type,Alias Type,Regime,Listed On,"
    "UK Sanctions List Date Designated,Group ID\n"
    f'GREY HERON,,"(UK Sanctions List Ref):RUS1. (IMO number):{GOOD_IMO} (MMSI):{SHIP} (Current owners):X",Ship,'
    "Primary name,"
    "Russia,05/03/2024,05/03/2024,77\n"
    "OLD HERON,,,Ship,AKA,Russia,05/03/2024,05/03/2024,77\n"
    "PERSON,A,,Individual,Primary name,Russia,05/03/2024,05/03/2024,78\n"
)
UK_XML = f"""<?xml version="1.0" encoding="utf-8"?><Designations><DateGenerated>12/11/2024</DateGenerated>
<Designation><UniqueID>RUS1</UniqueID><DateDesignated>05/03/2024</DateDesignated><RegimeName>Russia</RegimeName>
<IndividualEntityShip>Ship</IndividualEntityShip><Names><Name><Name6>GREY HERON</Name6></Name>
<Name><Name6>OLD HERON</Name6></Name></Names><ShipDetails><Ship><IMONumbers><IMONumber>{GOOD_IMO}</IMONumber>
</IMONumbers>
</Ship></ShipDetails></Designation>
<Designation><UniqueID>RUS2</UniqueID><IndividualEntityShip>Entity</IndividualEntityShip></Designation>
</Designations>"""


@pytest.mark.parametrize("text", [UK, CONLIST, UK_XML], ids=["list", "conlist", "xml"])
def test_the_uk_s_lists_are_read_with_aliases_of_a_number_and_days_first(tmp_path: Path, text: str) -> None:
    told = read(tmp_path, text)
    (entry,) = told.entries
    assert (entry.names, entry.imo, entry.programme) == (("GREY HERON", "OLD HERON"), GOOD_IMO, "Russia")
    assert entry.listed == date(2024, 3, 5)
    assert told.retrieved == date(2024, 11, 12)
    assert told.counted["entries that are no vessels"] == 1


def test_numbers_in_free_text_are_read_where_it_calls_them_so(tmp_path: Path) -> None:
    assert only(tmp_path, CONLIST).mmsi == str(SHIP)


# European Union and United Nations

EU_VESSELS = (
    "Vessel name;IMO number ;Date of application;Subject to;;;;\n"
    f"GREY HERON;{GOOD_IMO};25.06.2024;Port entry ban;;;;\n"
)
EU_XML = f"""<?xml version="1.0"?><export xmlns="http://eu.europa.ec/fpi/fsd/export"
generationDate="2024-05-03T10:00:00">
<sanctionEntity><regulation publicationDate="2024-02-23" programme="RUS"/><subjectType code="enterprise"/>
<nameAlias wholeName="GREY HERON"/><identification identificationTypeCode="imo" number="{GOOD_IMO}"/></sanctionEntity>
<sanctionEntity><subjectType code="person"/><nameAlias wholeName="A Person"/></sanctionEntity></export>"""


def test_the_eu_s_list_of_vessels_and_its_consolidated_list_are_read(tmp_path: Path) -> None:
    vessel = only(tmp_path, "\ufeff" + EU_VESSELS)
    assert (vessel.names, vessel.imo, vessel.listed) == (("GREY HERON",), GOOD_IMO, date(2024, 6, 25))
    assert vessel.programme == "Port entry ban"
    found = only(tmp_path, EU_XML)
    assert (found.imo, found.listed, found.programme) == (GOOD_IMO, date(2024, 2, 23), "RUS")


UN_XML = """<?xml version="1.0"?><CONSOLIDATED_LIST dateGenerated="2024-05-03T00:00:00Z"><INDIVIDUALS><INDIVIDUAL>
<FIRST_NAME>A</FIRST_NAME><COMMENTS1>Captain of a vessel</COMMENTS1></INDIVIDUAL></INDIVIDUALS><ENTITIES>
<ENTITY><FIRST_NAME>MADE UP MARITIME COMPANY</FIRST_NAME><COMMENTS1>Operates the vessel X, IMO: {company}</COMMENTS1>
</ENTITY>
{more}</ENTITIES></CONSOLIDATED_LIST>"""
UN_VESSEL = f"""<ENTITY><FIRST_NAME>GREY HERON</FIRST_NAME><UN_LIST_TYPE>Libya</UN_LIST_TYPE>
<LISTED_ON>2017-07-21</LISTED_ON>
<COMMENTS1>Vessel. IMO: {GOOD_IMO}. Listed pursuant to resolution 2146.</COMMENTS1>
<ENTITY_ALIAS><ALIAS_NAME>OLD HERON</ALIAS_NAME></ENTITY_ALIAS></ENTITY>"""


def test_the_un_s_consolidated_list_gives_its_vessels_and_no_organisation(tmp_path: Path) -> None:
    vessel = only(tmp_path, UN_XML.format(company=COMPANY_IMO, more=UN_VESSEL))
    assert (vessel.names, vessel.imo) == (("GREY HERON", "OLD HERON"), GOOD_IMO)
    assert vessel.listed == date(2017, 7, 21)
    with pytest.raises(BadInputError, match="holds no vessel; not used: entries that are no vessels: 2"):
        read(tmp_path, UN_XML.format(company=COMPANY_IMO, more=""))


# OpenSanctions

MARITIME = '"type","caption","imo","risk","countries","flag","mmsi","id","url","datasets","aliases"\n'
VESSEL = (
    f'"VESSEL","Grey Heron","IMO{GOOD_IMO}","sanction","kp","kp","{OTHER_MMSI};{SHIP}","NK-1","u","eu_x",'
    '"OLD HERON;STORK"\n'
)
COMPANY = f'"ORGANIZATION","Made Up Shipping","IMO{OTHER_IMO}","sanction","kp","","","NK-2","u","eu_x",""\n'
SIMPLE = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers","sanctions","program_ids","dataset"\n'
    f'"NK-1","Vessel","GREY HERON","","","kp","","IMO{GOOD_IMO};{SHIP}","2024-02-23;Article 3s","EU-RUS","EU X"\n'
    '"NK-2","Person","Grey Heron","","1970-01-02","ru","","","","GB-RUS","UK X"\n'
)


def test_opensanctions_maritime_table_is_read_without_its_companies(tmp_path: Path) -> None:
    told = read(tmp_path, MARITIME + VESSEL + COMPANY)
    (entry,) = told.entries
    assert (entry.names, entry.imo) == (("Grey Heron", "OLD HERON", "STORK"), GOOD_IMO)
    assert entry.mmsis == (OTHER_MMSI, str(SHIP))
    assert matches(Identifiers(imo=OTHER_IMO), [told], date(2024, 6, 1)) == []
    with pytest.raises(BadInputError, match="holds no vessel"):
        read(tmp_path, MARITIME + COMPANY)


def test_opensanctions_simple_targets_have_their_numbers_among_identifiers(tmp_path: Path) -> None:
    entry = only(tmp_path, SIMPLE)
    assert (entry.names, entry.imo, entry.mmsi, entry.listed) == (("GREY HERON",), GOOD_IMO, str(SHIP), None)
    assert entry.programme == "EU-RUS"


# One's own, from a spreadsheet

OWN = f"Vessel;IMO;MMSI;Listed\nGREY HERON;{GOOD_IMO},0;{SHIP},0;03.05.2023\n"


@pytest.mark.parametrize(
    "text",
    [
        OWN.encode("utf-8-sig"),
        OWN.replace(";", "\t").encode("utf-16"),
        OWN.replace(";", "\t").encode("utf-16-le"),
        ("sep=;\n" + OWN).encode(),
        OWN.replace("\n", "\r\n").encode("cp1252"),
        OWN.replace(",0", ".0").replace(";", ",").replace("03.05.2023", "2023-05-03 00:00:00").encode(),
        OWN.replace("03.05.2023", "45049").encode(),
        ("My list;;;\n;;;\n" + OWN).encode(),
        OWN.replace("03.05.2023", '"May 3, 2023"').encode(),
        OWN.replace("03.05.2023", "05/03/2023").encode() + f"STORK;{OTHER_IMO};;05/30/2023\n".encode(),
    ],
    ids=["bom", "utf16", "utf16 bare", "sep", "crlf", "floats", "serial", "title", "words", "month first"],
)
def test_ones_own_list_is_read_however_a_spreadsheet_saved_it(tmp_path: Path, text: bytes) -> None:
    entry = read(tmp_path, text).entries[0]
    assert (entry.names, entry.imo, entry.mmsi) == (("GREY HERON",), GOOD_IMO, str(SHIP))
    assert entry.listed == date(2023, 5, 3)


@pytest.mark.parametrize("cell", ["05/03/2023", "spring 2023", "2023", "31.02.2023"])
def test_a_date_that_cannot_be_read_refuses_the_list_by_line_and_column(tmp_path: Path, cell: str) -> None:
    with pytest.raises(BadInputError, match=r"list\.csv, line 3, column 'Listed'"):
        read(tmp_path, f"Vessel;IMO;Listed\nSTORK;{OTHER_IMO};\nGREY HERON;{GOOD_IMO};{cell}\n")


def test_a_list_of_names_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="names alone"):
        read(tmp_path, "Vessel,Flag\nGREY HERON,KP\n")


def test_organisations_among_vessels_are_counted_and_left_out(tmp_path: Path) -> None:
    told = read(tmp_path, f"name,imo,listed\nGREY HERON,{GOOD_IMO},\nHeron Shipping Co. Ltd,{OTHER_IMO},\n")
    assert [entry.imo for entry in told.entries] == [GOOD_IMO]
    assert told.counted["entries that are no vessels"] == 1


def test_a_type_of_ship_is_no_type_of_entry(tmp_path: Path) -> None:
    assert only(tmp_path, f"name,imo,type\nGREY HERON,{GOOD_IMO},Tanker\n").imo == GOOD_IMO


def test_an_imo_number_that_can_be_none_is_counted_and_several_of_a_row_are_each_an_entry(
    tmp_path: Path,
) -> None:
    rows = (
        f"name,imo,mmsi\nGREY HERON,{GOOD_IMO}; {OTHER_IMO},\nSTORK,{BAD_IMO},{SHIP}\nIBIS,9.07473E+06,1234\n"
    )
    told = read(tmp_path, rows)
    assert [entry.imo for entry in told.entries] == [GOOD_IMO, OTHER_IMO, None, None]
    assert told.counted["IMO numbers that can be none (length or check digit)"] == 2
    assert told.counted["MMSIs that can be none"] == 1
    assert told.counted["vessels with a name alone, which can be no hit"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04xl/", "xlsx"),
        (b"%PDF-1.4", "PDF"),
        (b'{"schema": "Vessel"}', "JSON"),
        (b"<html><body>log in</body></html>", "HTML"),
        (b"<?xml version='1.0'?><ships/>", "kind that we do not know"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><sdnList>&b;</sdnList>", "document type"),
        (SDN_XML[:300].encode(), "no whole XML"),
        (b"\n", "is empty"),
    ],
)
def test_what_is_no_list_is_refused_for_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(BadInputError, match=words) as told:
        read(tmp_path, content)
    assert "list.csv" in str(told.value)


def test_a_list_says_which_columns_were_read_and_how_many_vessels_came_of_it(tmp_path: Path) -> None:
    ais = write(tmp_path / "a.nmea", [*position(0), *voyage(1)])
    (tmp_path / "mine.csv").write_text(MARITIME + VESSEL + COMPANY)
    call = [
        "ais",
        "identify",
        str(SHIP),
        "--ais",
        str(ais),
        "--watchlist",
        f"{tmp_path}/mine.csv@2024-05-03",
        "--json",
    ]
    told = CliRunner().invoke(app, call, catch_exceptions=False).stderr
    assert "mine (OpenSanctions, maritime, of 2024-05-03): 1 vessel; read: name from 'caption'" in told
    assert "mmsi from 'mmsi'" in told
    assert "entries that are no vessels: 1" in told
