"""Run → text. Each renderer is pure: `render(run, laws) -> str`, with no clock, no network and no engine behind it.

    terminal   one screen          junit      CI servers          markdown   job summaries
    html       one page            json_out   programs            sarif      code scanning        badge   one picture

All of them read `summary`, so their totals agree by construction; those of several runs (`matrix_*`, `html`) read
`comparison`. What a relay said goes through `escape`.

    html ← page ┬ columns     a relay: money, platform, timing          drawers ← comparison    a rule at every relay
                ├ exhibits ← evidence ← curl, sdk, broken_order          distributions ← charts, quantiles
                └ proof, citations: why a rule is to be believed         words ← texts.toml
"""
