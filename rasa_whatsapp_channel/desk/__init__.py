"""
Desk: where people answer instead of the bot, a server of one's own or Chatwoot.

`contract` and `chatwoot` decide without I/O what is told and what is asked; `delivery` tells it,
`endpoint` is asked.
"""
