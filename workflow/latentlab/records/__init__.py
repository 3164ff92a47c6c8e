"""Typed records that pass between stages; no torch, no matplotlib."""
