"""Data of a person's own: a text file with rows and columns, read without trust and described (a task: tasks/own_data.py)."""
