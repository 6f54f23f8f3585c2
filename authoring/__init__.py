"""What authors use: tests, style, and the making of what is stored."""
