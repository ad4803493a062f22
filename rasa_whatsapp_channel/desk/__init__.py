"""
Desk: where people answer instead of the bot, a server of one's own or Chatwoot.

`contract` decides without I/O what is told and what may be asked, `chatwoot` translates it for
Chatwoot. `delivery` tells, and `endpoint` does what is asked.
"""
