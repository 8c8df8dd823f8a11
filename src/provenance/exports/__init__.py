"""One exchange format per file; they read facets and change nothing."""
