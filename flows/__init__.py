"""Prefect flows, thin over `roadstead.jobs`; the only place that imports Prefect."""
