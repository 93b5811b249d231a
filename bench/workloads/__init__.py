"""What is measured, a file each. Its docstring says what may be concluded."""
