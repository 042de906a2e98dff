"""The proof of the suite: every rule has a fault that kills it, and nobody honest is accused.

    faulty    one fault × the real check over a socket → Trial     book      the rules, who kills them, who reaches them
    matrix    trials → what they prove, on a terminal and as text  peers     the same beside other suites

The only package that knows both halves; the mock runs as a process of its own.
"""
