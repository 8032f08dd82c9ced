"""Jobs: their records, what a backend must do, and the two that there are."""
