"""Pictures as pure functions: numbers → SVG, static, without a script; colours are classes of the page's style."""
