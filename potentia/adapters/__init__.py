"""Other people's frameworks and formats, each imported only where it is used."""
