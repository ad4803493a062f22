"""
Billing: what messages cost. Decides only, without I/O.

    charges   a status → the charge that the ledger keeps
    limits    what goes when a limit is reached
    costs     charges and a rate card → rows of costs
"""
