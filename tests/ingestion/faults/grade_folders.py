"""Planted names in a folder of grades: pictures of every format whose names give a knee, a person
without a side, a counter or nothing, and names that must not be read.
"""

from __future__ import annotations

from dataclasses import dataclass

SUFFIXES = (".png", ".PNG", ".jpg", ".jpeg", ".JPG", ".tif", ".TIFF", ".bmp")


@dataclass(frozen=True)
class PlantedName:
    """A picture's path below the root, and its end: the case that it becomes, or the reason for
    which it is not read.
    """

    family: str
    path: str
    case: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.family}: {self.path}"

    @property
    def grade(self) -> int:
        """The grade of its folder."""
        return int(self.path.split("/")[1][0])


# A name without its number (each case has one of its own), and the case that it becomes.
_KNEES = {
    "{}R": "{}-R",
    "{}l": "{}-L",
    "{}_L": "{}-L",
    "{}-right": "{}-R",
    "{}LEFT": "{}-L",
    "{}R_1": "{}-R",
    "{}L (2)": "{}-L",
    "{} (R)": "{}-R",
    "L_{}": "{}-L",
    "Right knee {}": "knee-{}-R",
    "KL{grade}_{}_left": "{}-L",
    "OAI_{}_00m_R": "OAI-{}-R",
    "{}.L.AP": "{}-L",
    "{}R_png.rf.3fa2b90c11": "{}-R",
}
_WITHOUT_SIDE = {"{}": "{}-X", "P{}": "P{}-X", "knee {}": "knee-{}-X", "{}_1": "{}-X", "{}_V03_AP": "{}-X", "KL{grade}-{}": "{}-X"}
_COUNTERS = {
    "{short}": "{folder}-{short}-X",
    "img_{short}": "{folder}-img-{short}-X",
    "00000{short}": "{folder}-00000{short}-X",
    "IMG-20190312-WA{short}": "{folder}-IMG-20190312-WA{short}-X",
    "Xray ({short})": "{folder}-Xray-{short}-X",
}
_REFUSED = ("{}L_flip", "{}R_mask", "aug_{}R", "L{}", "left{}", "{}_L_R", "KL{other}_{}R_x", "notes", "seriesL")


def _cases() -> list[PlantedName]:
    cases: list[PlantedName] = []
    for family, names in (("knees", _KNEES), ("without a side", _WITHOUT_SIDE), ("counters", _COUNTERS)):
        for place, (name, case) in enumerate(names.items()):
            for turn, suffix in enumerate(SUFFIXES):
                number, grade = 9400001 + len(cases), (place + turn) % 5
                words = {"grade": grade, "short": len(cases), "folder": f"train-{grade}"}
                path = f"train/{grade}/{name.format(number, **words)}{suffix}"
                cases.append(PlantedName(family, path, f"{case.format(number, **words)}-00m"))
    for place, name in enumerate(_REFUSED):
        for grade, suffix in ((place % 5, ".png"), ((place + 1) % 5, ".jpg")):
            number = 9400001 + len(cases)
            path = f"train/{grade}/{name.format(number, other=(grade + 1) % 5)}{suffix}"
            cases.append(PlantedName("refused", path, reason="unknown-file"))
    # The same counters in two folders are two people; the same person twice is nobody's picture.
    cases += [PlantedName("repeated", f"train/{grade}/x7.png", f"train-{grade}-x7-X-00m") for grade in (0, 3)]
    cases += [PlantedName("repeated", f"train/{grade}/9490001.png", reason="duplicate-image") for grade in (1, 2)]
    cases += [PlantedName("repeated", f"train/1/9490002R{ending}.png", reason="duplicate-image") for ending in ("", " (1)")]
    return cases


CASES = _cases()
