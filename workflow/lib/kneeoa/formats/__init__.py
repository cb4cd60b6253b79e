"""Image files and their headers, read strictly: volumes in any format, DICOM, archives."""
