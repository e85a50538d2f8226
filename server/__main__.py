"""`python -m server` is `retrograd`."""

from server.cli import main

if __name__ == "__main__":
    main()
