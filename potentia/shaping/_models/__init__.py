"""Networks, tables and running scales that several shapers share."""
