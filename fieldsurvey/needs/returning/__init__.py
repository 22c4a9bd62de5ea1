"""Sending a record back for correction: the HMU opens the one record, comments its questions, seals it to its laptop.

`comments` reads what is said, `preparing` opens the record and makes the file, `standing` says what is out.
"""
