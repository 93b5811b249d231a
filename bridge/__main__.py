"""`python -m bridge` and `event-bridge` are the same."""

from bridge.cli.root import main

if __name__ == "__main__":
    main()
