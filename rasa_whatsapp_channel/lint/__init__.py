"""
Lint: a bot's domain → findings about what WhatsApp or Rasa will refuse or change.

    check     `Linter`: runs all checks, places the remarks, honours `# whatsapp: ignore`
    schema    keys, types and channels that Rasa refuses
    mantle    what Rasa Pro's engine Mantle refuses, and what harms people there
    slots     braces in texts, and slots of forms
    composed  what composing changes; placeholders stand in for slot values
    media     files and links; asks the servers of links
    report    findings → text, JSON, GitHub annotations
    rules     the codes
"""
