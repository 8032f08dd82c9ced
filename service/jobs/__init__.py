"""Jobs: their records, what a backend must do, and the one that runs child processes."""
