"""What the command line chooses."""

KEY_SECONDS = 5.0
