"""Many films at once: what is to be done, who does it, and the truth about what was done.

`plan` finds the files, `ledger` remembers them, `executors` do the work, `run` leads; docs/batch.md.
"""
