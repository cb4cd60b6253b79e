"""A tiny tree in OAI's layout, written line by line so that tests can bend any part of it."""

from __future__ import annotations

from pathlib import Path

CONTENTS = "Folder,ParticipantID,StudyDate,Barcode,StudyDescription,SeriesDescription"
KXR = "ID|SIDE|READPRJ|VERSION|V00BARCDBU|V00XRKL"


def write_tree(root: Path, contents: list[str], readings: list[str], *, kxr_header: str = KXR) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "contents.csv").write_text("\n".join([CONTENTS, *contents]) + "\n")
    (root / "kxr_sq_bu00.txt").write_bytes("".join(f"{line}\r\n" for line in [kxr_header, *readings]).encode())


def series(subject: str, side: str, barcode: str = "10000000", *, blank: str = "", name: str = "SAG_3D_DESS") -> str:
    return f"0.C.2/{subject}/20040101/{barcode},{subject},20040101,{barcode},OAI^MR^ENROLLMENT^{side},{name}_{side}{blank}"


def image(root: Path, subject: str, barcode: str = "10000000", file: str = "001", *, visit: str = "00m/") -> Path:
    path = root / f"{visit}0.C.2" / subject / "20040101" / barcode / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def reading(subject: str, side: str, grade: str, project: int = 15) -> str:
    return f"{subject}|{side}|{project}|0.8|016600000001|{grade}"
