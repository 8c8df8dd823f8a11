"""Why a difference matters: known behaviour changes as data, and one pure matcher."""
