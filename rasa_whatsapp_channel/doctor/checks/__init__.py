"""Checks of the doctor: facts → results, one module per area. No I/O."""
