"""What a cell is made with: one closed, frozen model for each kind of cell.

A cell's key is computed from the fields that differ from the defaults they came with (fingerprints.pinned): a new field
whose default reproduces today's behaviour changes no key, a changed default those of the cells that relied on it. What
a cell works out of its inputs is named here and not given (a mean of None, a tau of "auto"); all else is resolved.
Sources of the defaults: paper.md 1.1 to 1.10 (P0 Table 6 and the released scripts R).
"""
