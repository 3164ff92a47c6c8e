"""Data sets: fetching, verifying, reading and drawing them."""
