"""What two or more chapters of the course share."""
