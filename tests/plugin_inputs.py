"""Placeholders for the inputs of `workflow/studies/plugin.yaml`, for dry runs: tables of the real
layouts, and empty files of images and weights.
"""

from __future__ import annotations

from pathlib import Path

OAI_PEOPLE = 4796
MOST_PEOPLE = 3026
MOST_FILMS = 17_040
VISITS = ("V0", "V1", "V2", "V3", "V4", "V5")
WEIGHTS = ("resnet50.pth", "efficientnet_b7.pth", "vit_base_patch16_384.pth", "swin_large_patch4_window12_384.pth")


def make_plugin_inputs(root: Path, oai_people: int = OAI_PEOPLE, most_people: int = MOST_PEOPLE, films: int = MOST_FILMS) -> dict[str, str]:
    """Write the placeholders below ``root``; returns the environment that names them.

    Each person of OAI has one film. The films of MOST, one a person and visit, are dealt round: the
    first visit of everybody, then the second, and so on.
    """
    _oai(root / "oai", oai_people)
    _most(root / "most", most_people, films)
    (root / "weights").mkdir()
    for name in WEIGHTS:
        (root / "weights" / name).touch()
    return {"OAI": str(root / "oai"), "MOST": str(root / "most"), "KNEEOA_WEIGHTS": str(root / "weights")}


def _oai(root: Path, people: int) -> None:
    contents = ["Folder,ParticipantID,StudyDate,Barcode,StudyDescription,SeriesDescription"]
    grades = ["ID|SIDE|READPRJ|VERSION|V00BARCDBU|V00XRKL"]
    for index in range(people):
        subject, barcode = f"9{index:06d}", f"1{index:07d}"
        folder = f"0.C.2/{subject}/20040101/{barcode}"
        contents.append(f"{folder},{subject},20040101,{barcode},OAI^XRAY^ENROLLMENT^KNEE,Bilateral PA Fixed Flexion Knee")
        grades += [f"{subject}|{code}|15|0|{barcode}|{(index + code) % 5}" for code in (1, 2)]
        (root / "00m" / folder).mkdir(parents=True)
        (root / "00m" / folder / "001").touch()
    (root / "00m" / "contents.csv").write_text("\n".join(contents) + "\n")
    (root / "kxr_sq_bu00.txt").write_text("\n".join(grades) + "\n")


def _most(root: Path, people: int, films: int) -> None:
    columns = ["MOSTID", "SITE", "SEX", "V0AGE", *(f"{visit}{name}" for visit in VISITS for name in ("PAFILE", "XRKL", "XLKL"))]
    rows = [",".join(columns)]
    for index in range(people):
        subject = f"MB{index:05d}"
        cells = [subject, str(1 + index % 2), str(index % 2), str(50 + index % 30)]
        for number, visit in enumerate(VISITS):
            path = f"{subject}/{visit}.dcm"
            if number * people + index >= films:
                cells += ["", "", ""]
                continue
            (root / subject).mkdir(parents=True, exist_ok=True)
            (root / path).touch()
            cells += [path, str(index % 5), str((index + number) % 5)]
        rows.append(",".join(cells))
    (root / "most_xray.csv").write_text("\n".join(rows) + "\n")
