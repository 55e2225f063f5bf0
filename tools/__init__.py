"""What builds the project's own artefacts. Not part of the program."""
