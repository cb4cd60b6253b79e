"""Recognise left and right in words: descriptions of series and studies, names of files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

SIDE_NAMES = {"L": "left", "R": "right"}
"""The word for each side in messages."""
_LEFT = """
    LEFT LT LFT LINKS LINKE LINKER LINKES GAUCHE IZQUIERDA IZQUIERDO IZQ SINISTRA SINISTRO ESQUERDA ESQUERDO
    VANSTER VENSTRE LEWE LEWY LEWA
"""
_RIGHT = """
    RIGHT RT RGT RECHTS RECHTE RECHTER RECHTES DROIT DROITE DERECHA DERECHO DESTRA DESTRO DIREITA DIREITO
    HOGER HOYRE HOJRE PRAWE PRAWY PRAWA
"""
SIDE_OF_WORD = {word: side for side, words in (("L", _LEFT), ("R", _RIGHT)) for word in words.split()}
"""Words that mean a side wherever they stand."""
SIDE_OF_LETTER = {"L": "L", "R": "R"}
"""Letters that mean a side only where something else says so."""
_SHORTENED = SIDE_OF_LETTER | {"LI": "L", "RE": "R"}
"""Letters and abbreviations that mean a side beside a joint's name (``Knie li.``)."""
_SHORTENED_BESIDE = {
    "GENOU": {"G": "L", "D": "R"},
    "RODILLA": {"I": "L", "D": "R", "IZDA": "L", "DCHA": "R"},
    "GINOCCHIO": {"SX": "L", "DX": "R"},
    "JOELHO": {"E": "L", "D": "R"},
}
"""Those of one language, beside its own word for the knee (``genou G``)."""
JOINTS = frozenset(
    {"KNEE", "KNEES", "KNIE", "KNIES", "KNIEGELENK", "GENOU", "RODILLA", "GINOCCHIO", "JOELHO", "KNA", "KOLANO", "PATELLA", "LEG"}
)
"""Names of joints and legs: a letter beside one is its side."""
_BOTH = frozenset({"BOTH", "BILATERAL", "BILAT", "BILATERALE", "BEIDE", "BEIDSEITS", "BEIDSEITIG"})
# "Rule out" and "transmit and receive" hold an R that is no side.
_NO_SIDE = re.compile(r"\b[RT]\s*/\s*[OR]\b", re.IGNORECASE)
_SIDE, _JOINT = "|".join((*SIDE_OF_WORD, *SIDE_OF_LETTER)), "|".join(sorted(JOINTS))
_FUSED = re.compile(rf"(?P<before>{_SIDE})(?:{_JOINT})|(?:{_JOINT})(?P<after>{_SIDE})")


def words_of(text: str) -> list[str]:
    """The words of a text, in capitals and without accents; a capital after a small letter begins a
    new one.
    """
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O")).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).upper())


def fused_side(word: str) -> str | None:
    """The side in a word of side and joint, as ``LKNEE`` or ``KNEERT``."""
    match = _FUSED.fullmatch(word)
    return (SIDE_OF_WORD | SIDE_OF_LETTER)[match["before"] or match["after"]] if match else None


def side_of_text(text: str) -> str | None:
    """``L`` or ``R`` where a description names one side alone: by a word for it, or by a letter
    beside the joint's name or at either end (``SAG PD L KNEE``, ``T2_SAG_R``).

    None where it names none or both; pairs of letters are directions (``R/L``).
    """
    words = words_of(_NO_SIDE.sub(" ", text))
    sides = set(_sides(words)) if not _BOTH & set(words) else set()
    return sides.pop() if len(sides) == 1 else None


def _sides(words: Sequence[str]) -> Iterator[str]:
    plain = [word for word in words if not word.isdigit()]
    pair = {"L", "R"} <= set(plain)
    for place, word in enumerate(plain):
        letters = word.strip("0123456789")
        side = SIDE_OF_WORD.get(letters) or fused_side(letters)
        beside = JOINTS & set(plain[max(0, place - 1) : place + 2])
        if side is None and not pair and (beside or place in (0, len(plain) - 1)):
            short = [_SHORTENED, *(_SHORTENED_BESIDE.get(joint, {}) for joint in beside)] if beside else [SIDE_OF_LETTER]
            side = next((letters[word] for letters in short if word in letters), None)
        if side is not None:
            yield side
