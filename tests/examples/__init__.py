"""Examples and documentation are run as a reader would run them."""
