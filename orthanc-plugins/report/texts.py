"""What the report says, in English and French, and how numbers are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "fr"]


@dataclass(frozen=True)
class Texts:
    """All words of the page in one language."""

    language: Language
    decimal: str
    title: str
    date: str
    approval: str
    approvals: dict[str, str]
    no_approval: str
    structure_set: str
    study: str
    series: str
    images: str
    no_images: str
    dose: str
    no_dose: str
    only_uids: str
    structures: str
    number_of: str
    name: str
    type: str
    suggested: str
    volume: str
    mean_value: str
    notes: str
    quality: str
    all_well: str
    severities: dict[str, str]
    remedy: str
    at: str
    slices: str
    slices_about: str
    without_picture: str
    cuts: str
    cut_rows: str
    cut_columns: str
    dvh: str
    dvh_title: str
    dvh_about: str
    relative: str
    more: str
    table_hint: str
    hidden_in_ohif: str

    def number(self, value: float | None, digits: int) -> str:
        """A number, a dash when there is none."""
        if value is None:
            return "–"
        return f"{value:.{digits}f}".replace("-", "−").replace(".", self.decimal)


ENGLISH = Texts(
    language="en",
    decimal=".",
    title="Structure set",
    date="Date",
    approval="Approval",
    approvals={"APPROVED": "approved", "UNAPPROVED": "not approved", "REJECTED": "rejected"},
    no_approval="not said",
    structure_set="Structure set (SOP Instance UID)",
    study="Study Instance UID",
    series="Image series",
    images="images",
    no_images="none here",
    dose="Dose",
    no_dose="none here",
    only_uids="Identified by UIDs only: this page carries no name and no number of a patient.",
    structures="Structures",
    number_of="No.",
    name="Name",
    type="Type",
    suggested="TG-263 suggestion",
    volume="Volume",
    mean_value="Mean",
    notes="Findings",
    quality="Quality",
    all_well="Nothing was found.",
    severities={"error": "Error", "warning": "Warning", "info": "Note"},
    remedy="What to do",
    at="at",
    slices="Contours on slices",
    slices_about="The middle slice of each structure, with all structures on it.",
    without_picture="structures have no picture here.",
    cuts="Across the slices",
    cut_rows="Along the rows of the images (coronal for axial images), through",
    cut_columns="Along the columns of the images (sagittal for axial images), through",
    dvh="Dose-volume histograms",
    dvh_title="Cumulative dose-volume histograms of all structures; the values are in the table of structures.",
    dvh_about="Percent of the volume that gets at least a dose. Full slabs at both ends; what lies outside the "
    "dose grid is left out.",
    relative="relative",
    more="more; the route /quality lists all.",
    table_hint="As a table for spreadsheets: table.csv",
    hidden_in_ohif="OHIF does not show this set as it is.",
)

FRENCH = Texts(
    language="fr",
    decimal=",",
    title="Ensemble de structures",
    date="Date",
    approval="Approbation",
    approvals={"APPROVED": "approuvé", "UNAPPROVED": "non approuvé", "REJECTED": "rejeté"},
    no_approval="non précisée",
    structure_set="Ensemble de structures (SOP Instance UID)",
    study="Study Instance UID",
    series="Série d’images",
    images="images",
    no_images="aucune ici",
    dose="Dose",
    no_dose="aucune ici",
    only_uids="Identifié par ses UID seulement : cette page ne porte ni nom ni numéro de patient.",
    structures="Structures",
    number_of="N°",
    name="Nom",
    type="Type",
    suggested="Suggestion TG-263",
    volume="Volume",
    mean_value="Moyenne",
    notes="Constats",
    quality="Qualité",
    all_well="Rien n’a été relevé.",
    severities={"error": "Erreur", "warning": "Avertissement", "info": "Remarque"},
    remedy="Que faire",
    at="à",
    slices="Contours sur les coupes",
    slices_about="La coupe médiane de chaque structure, avec toutes les structures qui s’y trouvent.",
    without_picture="structures sont sans image ici.",
    cuts="En travers des coupes",
    cut_rows="Le long des lignes des images (coronal pour des images axiales), par",
    cut_columns="Le long des colonnes des images (sagittal pour des images axiales), par",
    dvh="Histogrammes dose-volume",
    dvh_title="Histogrammes dose-volume cumulés de toutes les structures ; les valeurs sont dans le tableau.",
    dvh_about="Pourcentage du volume qui reçoit au moins une dose. Tranches entières aux deux bouts ; ce qui sort "
    "de la grille de dose n’est pas compté.",
    relative="relative",
    more="de plus ; la route /quality les donne tous.",
    table_hint="En tableau pour tableurs : table.csv",
    hidden_in_ohif="OHIF ne montre pas cet ensemble tel qu’il est.",
)

TEXTS: dict[Language, Texts] = {"en": ENGLISH, "fr": FRENCH}


def language_of(asked: Language | None, accepted: str) -> Language:
    """The language asked for, else the first of Accept-Language that there is, else English."""
    if asked is not None:
        return asked
    wanted = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";")
        try:
            q = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            q = 0.0
        wanted.append((-q, place, tag.strip().lower().partition("-")[0]))
    for q, _, tag in sorted(wanted):
        if q < 0 and tag in ("en", "fr"):
            return "fr" if tag == "fr" else "en"
    return "en"
