"""What does the user type? One module per command."""
