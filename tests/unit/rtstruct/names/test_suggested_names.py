"""TG-263 names: what is suggested for names as people write them, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtstruct import read
from rtstruct.names import LONGEST_NAME, SynonymsError, is_tg263, nomenclature, suggest
from rtstruct.names.words import key


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Lt Lung", "Lung_L"),
        ("LUNG LT", "Lung_L"),
        ("lung_left", "Lung_L"),
        ("LLung", "Lung_L"),
        ("LungR", "Lung_R"),
        ("Lunge links", "Lung_L"),
        ("Lunge re", "Lung_R"),
        ("poumon gauche", "Lung_L"),
        ("Poumon D", "Lung_R"),
        ("Poumons", "Lungs"),
        ("both lungs", "Lungs"),
        ("Lunge beidseits", "Lungs"),
        ("BODY", "External"),
        ("Cœur", "Heart"),
        ("Herz", "Heart"),
        ("Rückenmark", "SpinalCord"),
        ("moelle épinière", "SpinalCord"),
        ("spinal_cord", "SpinalCord"),
        ("Parotide droite", "Parotid_R"),
        ("N. opticus links", "OpticNrv_L"),
        ("Nerf optique droit", "OpticNrv_R"),
        ("tête fémorale G", "Femur_Head_L"),
        ("Hüftkopf rechts", "Femur_Head_R"),
        ("Head Femoral L", "Femur_Head_L"),
        ("Brain Stem", "Brainstem"),
        ("Hirnstamm", "Brainstem"),
        ("Bowel Bag", "Bag_Bowel"),
        ("heart_new", "Heart"),
        ("Esophogus", "Esophagus"),
        ("Cord PRV 5mm", "SpinalCord_PRV05"),
        ("PRV Moelle", "SpinalCord_PRV"),
    ],
)
def test_an_organ_is_known_however_it_is_written(written: str, name: str) -> None:
    suggestion = suggest(written)
    assert suggestion is not None
    assert suggestion.name == name
    assert is_tg263(name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("PTV 60 Gy", "PTV_6000"),
        ("PTV 5040 cGy", "PTV_5040"),
        ("PTV60", "PTV_6000"),
        ("ptv high", "PTV_High"),
        ("CTV N", "CTVn"),
        ("CTVN", "CTVn"),
        ("CTV T 1", "CTVp1"),
        ("GTV_Mass_CT", "GTV"),
        ("GTV_Mass_MR_T1", "GTV"),
        ("PTV lung left", "PTV_Lung_L"),
        ("lung - PTV", "Lung-PTV"),
        ("PTV_opt", "PTV^Opt"),
    ],
)
def test_a_target_is_put_into_the_grammar(written: str, name: str) -> None:
    suggestion = suggest(written)
    assert suggestion is not None
    assert suggestion.name == name
    assert is_tg263(name)


@pytest.mark.parametrize(
    "name", ["Lung_L", "Heart", "PTV_5040", "PTVp1", "SpinalCord_PRV05", "Lungs-GTV", "zPTV", "~Lungs"]
)
def test_what_is_a_tg_263_name_stays_and_is_certain(name: str) -> None:
    suggestion = suggest(name)
    assert suggestion is not None
    assert (suggestion.name, suggestion.confidence) == (name, 1.0)


@pytest.mark.parametrize("name", ["", "  ", "Areola", "Borders", "xyz", "123", "???", "Structure 1"])
def test_what_nothing_is_near_gets_no_suggestion(name: str) -> None:
    assert suggest(name) is None


def test_confidence_says_how_the_name_was_found() -> None:
    written_otherwise, misspelt, without_side = (suggest(each) for each in ("Lung links", "Esophogus", "Lunge"))
    assert written_otherwise and misspelt and without_side
    assert written_otherwise.confidence > misspelt.confidence
    assert written_otherwise.confidence > without_side.confidence
    assert "side" in without_side.reason
    assert suggest("Esophogus", threshold=0.9) is None


def test_the_interpreted_type_counts() -> None:
    assert suggest("Hülle 7", "EXTERNAL") is not None
    assert getattr(suggest("Boost", "PTV"), "name", None) == "PTV"
    plain, contradicted = suggest("PTV 60 Gy"), suggest("PTV 60 Gy", "ORGAN")
    assert plain and contradicted
    assert contradicted.confidence < plain.confidence


def test_the_table_keeps_to_sixteen_characters_and_contradicts_itself_nowhere() -> None:
    names = nomenclature()
    assert len(names.names) > 300
    assert not [name for name in names.names if len(name) > LONGEST_NAME]
    # Every name finds itself: no synonym of another entry hides it.
    assert not [name for name in names.names if getattr(suggest(name), "name", None) != name]
    hidden = [name for name in names.names if key(name) in names.by_key and not _leads_to(name)]
    assert not hidden


def _leads_to(name: str) -> bool:
    suggestion = suggest(name.lower().replace("_", " "))
    return suggestion is not None and suggestion.name == name


def test_a_site_adds_its_own_ways_and_names(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text(
        'SpinalCord = ["Schnur"]\nLung_L = ["LG"]\nHeart = ["me"]\n'
        'Duct_Hepatic = {sided = ["hepatic duct"], both = "Ducts_Hepatic"}\n'
    )
    names = nomenclature(file)
    expected = {"schnur": "SpinalCord", "LG": "Lung_L", "ME": "Heart", "hepatic duct left": "Duct_Hepatic_L"}
    assert {way: getattr(suggest(way, names=names), "name", None) for way in expected} == expected
    assert getattr(suggest("ME"), "name", None) == "SpinalCord"
    assert is_tg263("Duct_Hepatic_R", names)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Lung = [", "not TOML"),
        ("Lung = 3", "Lung must be a list"),
        ("Lung = [3]", "not a text"),
        ('Lung = ["--"]', "not a text"),
        ("Lung = {sided = [], other = 1}", "Lung must be a list"),
    ],
)
def test_a_wrong_synonyms_file_is_refused_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text(content)
    with pytest.raises(SynonymsError, match=says):
        nomenclature(file)


def test_a_missing_synonyms_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SynonymsError, match="cannot be read"):
        nomenclature(tmp_path / "none.toml")


def test_a_real_plan_gets_names_where_there_are_some(dicompyler: bytes) -> None:
    suggested = {
        structure.name: getattr(suggest(structure.name, structure.interpreted_type), "name", None)
        for structure in read(dicompyler).structures
    }
    assert suggested["Lt Lung"] == "Lung_L"
    assert suggested["BODY"] == "External"
    assert suggested["Heart"] == "Heart"
    assert suggested["Areola"] is None
