"""What requests hold, checked and written out with their defaults."""
