"""Library code of the tools."""
