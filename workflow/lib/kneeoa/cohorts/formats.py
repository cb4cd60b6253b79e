"""The format of an image file by its name, as the images table has it. Standard library only (used
at parse).
"""

from __future__ import annotations

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
    ".zip": "dicom-archive",
}
ARCHIVES = (".tar.gz", ".tgz", ".zip")
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
