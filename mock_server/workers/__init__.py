"""Several processes that are one mock.

    clients ──► worker ─┐ asks, where a turn or a limit is counted: one ledger for all
                worker ─┼──► hub, in the process that started them
                worker ─┘ tells a command, which the hub has all of them do

Nothing is shared but what is said over a socket of this machine, and most requests need none of it: what is answered
follows from the request, a video from its id, and what was asked is in the journal of the worker that answered.
"""
