"""The host of the plugins inside Orthanc: the only package that imports ``orthanc``."""
