"""Opening a round: sealed records in, a dataset out, encrypted at rest.

`opening.open_round` opens and sorts records, `dataset.Dataset` is what it makes, `store` keeps it. Nothing is exported
here by name: the processes that open records import `worker` alone, without the tables' library.
"""
