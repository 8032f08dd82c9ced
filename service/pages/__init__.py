"""The page that a person opens: models with their scores, jobs with their progress."""
