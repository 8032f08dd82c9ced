"""The Bento services: the predictor answers, the trainer trains."""
