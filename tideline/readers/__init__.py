"""Readers: from the bytes of a file to a panel, or to labels."""

from tideline.readers.label_file import read_labels
from tideline.readers.panel_file import read_panel
from tideline.readers.reading import Reading
from tideline.roles import ColumnRoles

__all__ = ["ColumnRoles", "Reading", "read_labels", "read_panel"]
