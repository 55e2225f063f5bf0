"""What a program shows of itself."""
