"""The nouns that every room shares. Portable; imports nothing but the standard library.

``record``      a run's record: header and one payload per facet
``context``     what a facet may look at when it captures
``paths``       where a file lies, independent of the machine
``digest``      what a file contains
``difference``  one typed way in which two payloads differ
``verdict``     effects, reasons, findings and the verdict they add up to
``canonical``   the one JSON form, and the seal of a closed record
``codec``       named tuples to JSON and back
``versions``    ordering of version numbers
``redact``      keeping secrets out of everything that is written
``runid``       identifiers of runs
"""
