"""What is told of a run: the page `report.html`, and the table `search.parquet`."""

from training.report.page import report
from training.report.search_table import search_parquet, search_table

__all__ = ["report", "search_parquet", "search_table"]
