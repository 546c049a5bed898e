"""Prefect flows, thin over `roadstead.workflows`; the only place that imports Prefect."""
