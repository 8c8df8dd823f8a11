"""Results against results: metrics, series and files, with tolerance."""
