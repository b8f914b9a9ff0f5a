"""`python -m glasnost` is the command `glasnost`."""

from glasnost.cli import main

if __name__ == "__main__":
    main()
