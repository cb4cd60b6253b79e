"""Formats of image files by their names, as the images table has them. Standard library only (used
at parse).
"""

from __future__ import annotations

import re

_SUFFIXES = {
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".mha": "meta",
    ".mhd": "meta",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".npy": "npy",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
    ".dcm": "dicom-file",
    ".dicom": "dicom-file",
    ".ima": "dicom-file",
    ".dcm.gz": "dicom-file",
    ".dicom.gz": "dicom-file",
    ".ima.gz": "dicom-file",
    ".tar.gz": "dicom-archive",
    ".tgz": "dicom-archive",
    ".tar": "dicom-archive",
    ".zip": "dicom-archive",
}
ARCHIVES = (".tar.gz", ".tgz", ".zip")
"""Suffixes of the archives that OAI's series are packed in; other archives may be tar files without
compression, too.
"""
PICTURES = frozenset({"png", "jpeg", "tiff", "bmp"})
VOLUMES = frozenset({"nifti", "meta", "nrrd"})
_COMPANIONS = {".mhd": (".raw", ".zraw", ".raw.gz"), ".nhdr": (".raw", ".raw.gz", ".gz")}


def format_of(name: str) -> str | None:
    """The format of a file by its suffix, in whatever case; None for an unknown suffix or none
    (DICOM files often have none).
    """
    lower = name.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if lower.endswith(suffix)), None)


def companions(path: str) -> tuple[str, ...]:
    """The data files that a header file (``.mhd``, ``.nhdr``) usually points at: the same name with
    another suffix.
    """
    for suffix, others in _COMPANIONS.items():
        if path.lower().endswith(suffix):
            return tuple(path[: -len(suffix)] + other for other in others)
    return ()


_BESIDE = re.compile(
    r"\.(txt|csv|tsv|json|xml|yaml|yml|md|rst|rtf|html?|css|js|pdf|docx?|xlsx?|pptx?|db|ini|inf|cfg|conf|log|bak|lnk|url"
    r"|jpe?g|png|gif|bmp|tiff?|svg|ico|icns|avi|mp4|mov|wmv|ttf|otf|exe|ex_|dll|so|dylib|jar|app|msi|cab|bat|cmd|command|sh|py"
    r"|md5|sha\d+|properties|lst|ovl|dat|raw|zraw|bvals?|bvecs?|par|rec|mat|h5|hdf5|tfm|mrml|mrb|ctbl|stl|vtk|vtp|ply|obj)$"
    r"|^(read[-_ ]?me|licen[cs]e|notice|change(log|s)|version|contents?|index|manifest|autorun|lockfile|dirfile|ihe_pdi|notes?|info"
    r"|(md5|sha\d+|check)[-_ ]?sums?)$",
    re.IGNORECASE,
)


def lies_beside(name: str) -> bool:
    """Whether a file by its name is one of those that archives, scanners and desktops put beside
    slices and films: documents, previews, checksums, indexes of a medium.

    It does not decide about files that parse as DICOM: callers parse first.
    """
    return name.startswith(".") or name.upper() == "DICOMDIR" or _BESIDE.search(name) is not None
