"""``python -m provenance``: the same as the ``prov`` command."""

from provenance.cli.entry import main

if __name__ == "__main__":
    main()
