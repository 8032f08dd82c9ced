"""Tideline: AutoML for time series."""
