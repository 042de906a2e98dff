"""Run → text. Each renderer is pure: `render(run, laws) -> str`, with no clock, no network and no engine behind it.

    terminal   one screen          junit      CI servers          markdown   job summaries
    html       one page            json_out   programs

All of them read `summary`, so their totals agree by construction. What a relay said goes through `escape`.
"""
