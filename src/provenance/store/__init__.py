"""Keep and find records and blobs as plain files."""
