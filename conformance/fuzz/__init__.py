"""Generated probes: drawn from the document and from what its schemas cannot say, under a budget, smallest first.

    case       a case is data; its kind says which requests are made of it: a probe like any other
    plain      the plain request of each operation
    bounds     what a generated request may cost: limits are set on each, what no limit bounds is left out
    covering   combinations of which each three values meet in some request (a covering array)
    drawn      hypothesis as a source of values: the same seed, the same values
    described  schemathesis: examples, coverage and random cases of the document, legal and illegal
    chat       what the schema of chat cannot say: parameters that interact, conversations, unicode, schemas
    video      histories and edits of chat-format video, where its model is named
    claude     conversations in Claude's protocol
    moves      conversations as a machine: what may be done after an answer, and the request that comes of it
    turns_*    what a protocol takes back into a conversation
    walks      hypothesis walks that machine, and what it does is written down
    linked     what the document links behind an answer
    models     the list of models and its entries, and names that nobody has
    mistakes   what is no request: no JSON, no object, members missing or mistyped
    effort     all of them for one target, in the order in which they are asked
    shrink     a failing case made smaller, request by request; it is given answers and opens no socket
    store      failures on disk, asked first next time
    prepare    what a command does before and after
    hunt       the phase of a check that asks them: in rounds within the budget, each of waves
    smaller    what failed, asked again and made smaller, within the budget
    logged     what became of them, told from a run's log

A generated probe is judged by the rules that judge any traffic. hypothesis and schemathesis are loaded by `effort`
alone, when cases are wanted.
"""
