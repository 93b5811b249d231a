"""The config file: one YAML text in, one frozen tree or all its problems out.

Reading order: `units` and `secret` (leaf values), `kafka`, `watch` and `tree` (the file's shape, with every default and
bound), `streams` (what runs), `problem` (what can be wrong), `document` (YAML with line numbers), `references`
(`${ENV}` and `{file: path}`), `scalars` and `shape` (nodes into the tree), `rules` (what the fields owe each other),
`load` (the door), `find` (which file), `schema` and `manual` (the same tree for editors and for people).
"""
