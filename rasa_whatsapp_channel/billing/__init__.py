"""
Billing: what messages cost. Decides only, without I/O.

    charges   a status → the charge that the ledger keeps
    costs     charges and a rate card → rows of costs
"""
