"""A person who does not exist, and a data set that names them wherever DICOM lets it."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

WORDS = {
    "family name": "Quillfeather",
    "given name": "Zebediah",
    "birth date": "19370429",
    "number": "MRN4471902X",
    "institution": "Nonesuch Infirmary",
    "physician": "Thistlewood",
    "address": "17 Gallows Lane",
    "telephone": "0555 017 8834",
    "accession": "ACC70F399",
    "private": "WIBBLEWICK",
    "birth date, written": "29.04.1937",
}
"""Words that must never be seen again. Each is a word of its own, so that a part of a name counts
as well.
"""
SENTENCE = ", ".join(WORDS.values())
SPOKEN = SENTENCE.encode()
"""``SENTENCE`` as bytes."""


def identify(data: Dataset) -> None:
    """Fill the tags of a data set in which people are named."""
    data.PatientName = f"{WORDS['family name']}^{WORDS['given name']}"
    data.PatientID = data.OtherPatientIDs = WORDS["number"]
    data.PatientBirthDate = WORDS["birth date"]
    data.InstitutionName, data.InstitutionAddress = WORDS["institution"], WORDS["address"]
    data.ReferringPhysicianName = data.OperatorsName = data.PerformingPhysicianName = WORDS["physician"]
    data.PatientAddress, data.PatientTelephoneNumbers = WORDS["address"], WORDS["telephone"]
    data.AccessionNumber = data.StudyID = WORDS["accession"]
    data.PatientComments = data.ImageComments = data.AdditionalPatientHistory = SENTENCE
    data.StudyDescription = data.ProtocolName = data.RequestedProcedureDescription = SENTENCE[:60]
    data.StationName = data.DeviceSerialNumber = WORDS["private"]
    data.OtherPatientNames = [data.PatientName]
    request = Dataset()
    request.RequestingPhysician, request.AccessionNumber, request.PatientName = WORDS["physician"], WORDS["accession"], data.PatientName
    data.RequestAttributesSequence = Sequence([request])
    for group, creator in ((0x0029, "SIEMENS CSA HEADER"), (0x0033, f"{WORDS['private']} 1.0"), (0x0019, "")):
        if creator:
            block = data.private_block(group, creator, create=True)
            block.add_new(0x10, "LO", SENTENCE[:60])
            block.add_new(0x11, "OB", SPOKEN + b"\0" * (len(SPOKEN) % 2))
            block.add_new(0x12, "UN", SENTENCE.encode("utf-16-le"))
        else:
            data.add_new((group, 0x1099), "LT", SENTENCE)  # a private tag without its creator
