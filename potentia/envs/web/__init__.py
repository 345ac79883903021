"""Web worlds: real pages in a real browser, and applications whose tasks are judged from their databases."""
