"""DICOM: files, headers, stacks of slices, and the volume that a source holds."""
