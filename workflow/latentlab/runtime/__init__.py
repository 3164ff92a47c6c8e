"""Errors, files, jobs, provenance: what every stage needs."""
