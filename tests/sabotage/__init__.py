"""Ways to spoil the results of chapters, one file for each chapter."""
