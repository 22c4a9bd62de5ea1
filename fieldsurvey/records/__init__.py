"""What a record is: suites, keys, key slots, envelope, log entry, tombstone, receipt, container. Bytes in, bytes out.

No screen, no storage, no network, and no knowledge of forms. docs/format.md describes every byte.
"""
