"""Environment files of other tools, read into one model of stated facts."""
