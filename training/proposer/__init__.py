"""TPOT as a proposer: a child process says which pipelines to try, and is told their scores."""
