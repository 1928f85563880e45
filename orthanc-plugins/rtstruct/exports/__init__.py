"""Masks as files that other programs open: NIfTI, NRRD, DICOM SEG, NPZ."""
