"""``python -m potentia`` is the command ``potentia``."""

from potentia.cli import main

if __name__ == "__main__":
    main()
