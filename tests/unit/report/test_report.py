import base64
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from kneeoa import figures_and_tables
from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.table_files import write_table
from kneeoa.presentation.number_format import format_interval
from kneeoa.report.page import Entry, write_report
from tests.unit.figures import synthetic

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
FIGURES = ("flow", "volumes", "learning", "roc", "reliability", "confusion", "forest", "axis", "saliency", "anatomy")
SECTIONS = [
    "Question and design",
    "Cohort and exclusions",
    "Images and masks",
    "Training",
    "Prediction",
    "Contrasts",
    "Representation",
    "Saliency and anatomy",
    "Provenance",
]


class Page(HTMLParser):
    """Headings, tags with their attributes, text, and whether every tag was closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def words(page):
    return " ".join(" ".join(page.text).split())


def entries(declared, files):
    """The entries that the workflow gives the report of these files, in the order of the
    declarations.
    """
    words = {name: each.model_dump(include={"section", "title", "caption", "alternative"}) for name, each in declared.items()}
    return {name: Entry(files[name], **words[name]) for name in words if name in files}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    png = folder / "figure.png"
    png.write_bytes(PIXEL)
    tables = {name: folder / f"{name}.csv" for name in ("arms", "metrics", "contrasts", "geometry", "anatomy", "exclusions")}
    tex = folder / "t.tex"
    write_table("arms", tables["arms"], tex, rows_of_arms=synthetic.ARM_ROWS)
    write_table("metrics", tables["metrics"], tex, metrics=synthetic.metrics(folder))
    write_table("contrasts", tables["contrasts"], tex, contrasts=synthetic.contrasts(folder))
    write_table("geometry", tables["geometry"], tex, all_measures=synthetic.geometry(folder)[1])
    write_table("anatomy", tables["anatomy"], tex, anatomy=synthetic.anatomy(folder))
    write_table("exclusions", tables["exclusions"], tex, exclusions=synthetic.exclusions(folder))
    return {
        "study": "synthetic",
        "title": "Knees & <levels>",
        "question": "Does it matter?",
        "arms": synthetic.FACTORS,
        "figures": entries(figures_and_tables.figures(), dict.fromkeys(FIGURES, png)),
        "tables": entries(figures_and_tables.tables(), tables),
        "flows": [synthetic.flow(folder)],
        "provenance": {"Configuration digest": "abcdef", "Packages": {"torch": "2.13", "numpy": "2.4"}},
        "levels": ("oa", "kl"),
    }


def test_the_story_is_told_in_order_in_one_file_without_links_scripts_or_dates(study, tmp_path):
    out = tmp_path / "report.html"
    write_report(**study, out=out)
    text = out.read_text()
    page = Page(text)
    assert page.open == []
    headings = re.findall(r'<span class="number">\d+</span>([^<]+)</h2>', text)
    assert headings == SECTIONS
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == len(FIGURES)
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)
    assert base64.b64decode(images[0]["src"].partition(",")[2]) == PIXEL
    assert re.findall(r"<b>Figure (\d+)\.", text) == [str(number) for number in range(1, 11)]
    assert re.findall(r"Table (\d+)\.", text) == [str(number) for number in range(1, 7)]
    assert "Knees &amp; &lt;levels&gt;" in text
    identifiers = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in page.tags if tag == "a"} <= identifiers


def test_numbers_in_sentences_are_the_tables_numbers(study, tmp_path):
    write_report(**study, out=tmp_path / "r.html")
    text = words(Page((tmp_path / "r.html").read_text()))
    rows = pd.read_csv(study["tables"]["metrics"].file)
    oa = rows[(rows["level"] == "oa") & (rows["metric"] == "auc") & rows["seed"].isna()]
    summaries = oa[(oa["head"] == "oa") | oa["arm"].str.endswith("single_kl")]
    best = summaries.loc[summaries["estimate"].idxmax()]
    printed = format_interval(best["estimate"], best["low"], best["high"], 2)
    assert best["arm"] == "resnet3d-dual"
    assert (
        f"Over 2 seeds, ResNet3D Dual reached an OA AUC of {printed} on 64 test knees of 52 subjects (phantom), the highest of 9 arms"
        in text
    )
    contrasts = pd.read_csv(study["tables"]["contrasts"].file)
    family = contrasts[contrasts["family"] == "primary"]
    below = int((family["p_adjusted"] < 0.05).sum())
    assert (
        f"Family primary (Benjamini-Hochberg adjustment over 18 tests): adjusted p is below .05 in {below} of {len(family)} tests" in text
    )
    assert "266 knees of 210 subjects were found and 6 excluded; 260 knees of 208 subjects were analysed" in text
    assert "3 modes of supervision (Single-OA, Single-KL and Dual) on 3 backbones (ResNet3D, M3T and nnMamba): 9 arms, each trained" in text
    assert re.search(r"Along the first principal component, Spearman's correlation on the test cases of phantom is [^.]*\.\d\d", text)
    assert " with the phantom's true latent severity" in text
    assert text.index("OA AUC of") < text.index("KL macro AUC of")


def test_a_study_of_imported_predictions_leaves_out_what_it_has_not(study, tmp_path):
    names = ("metrics", "contrasts")
    changes = {
        "figures": {name: study["figures"][name] for name in ("roc", "forest")},
        "tables": {name: study["tables"][name] for name in names},
        "flows": [],
        "provenance": {},
        "title": "",
        "question": "",
    }
    write_report(**(study | changes), out=tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    headings = re.findall(r'<span class="number">\d+</span>([^<]+)</h2>', text)
    assert headings == ["Question and design", "Prediction", "Contrasts"]
    assert "<title>synthetic</title>" in text
    assert 'class="question"' not in text


def test_long_tables_are_folded_away(study, tmp_path):
    write_report(**study, out=tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert re.search(r"<summary><b>Table \d+\. Saliency on tissues", text)  # 36 rows of arms and 24 of contrasts
    assert re.search(r"<h3>Table \d+\. Contrasts", text)  # 21 rows


def test_same_input_same_bytes(study, tmp_path):
    for name in ("a", "b"):
        write_report(**study, out=tmp_path / f"{name}.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_captions_say_how_many_and_with_which_interval(study, tmp_path):
    write_report(**(study | {"confidence": 0.9}), out=tmp_path / "r.html")
    text = words(Page((tmp_path / "r.html").read_text()))
    start = "Sensitivity against 1 − specificity; thin lines are seeds, the bold line is their vertical average."
    assert f"{start} 64 test knees of 52 subjects, 2 seeds an arm. Legend: AUC with 90 % interval (" in text
    write_report(**(study | {"tables": {}}), out=tmp_path / "r.html")
    assert f"{start} Legend: AUC with 95 % interval." in words(Page((tmp_path / "r.html").read_text()))


def test_figures_and_tables_of_a_section_stand_in_their_order(study, tmp_path):
    reordered = dict(reversed(study["figures"].items()))
    write_report(**(study | {"figures": reordered}), out=tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert text.index("Confusion matrices.</b>") < text.index("Reliability.</b>") < text.index("ROC curves.</b>")


def test_a_figure_that_is_no_png_is_said(study, tmp_path):
    figures = entries(figures_and_tables.figures(), {"roc": study["tables"]["metrics"].file})
    with pytest.raises(KneeoaError, match="not a PNG"):
        write_report(**(study | {"figures": figures}), out=tmp_path / "r.html")


def test_a_family_with_many_findings_names_the_strongest_and_counts_the_rest(study, tmp_path):
    rows = pd.read_csv(study["tables"]["contrasts"].file)
    rows["p_adjusted"] = [0.001 * (number + 1) for number in range(len(rows))]
    table = tmp_path / "contrasts.csv"
    rows.to_csv(table, index=False)
    write_report(**(study | {"tables": entries(figures_and_tables.tables(), {"contrasts": table}), "figures": {}}), out=tmp_path / "r.html")
    text = words(Page((tmp_path / "r.html").read_text()))
    assert "adjusted p is below .05 in 18 of 18 tests: " in text
    assert "; and 12 more." in text
