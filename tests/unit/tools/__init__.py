"""What builds the artefacts."""
