"""
A WhatsApp on one's own desk: the APIs as a bot sees them, the people as a page and tests play them.

    config, credentials   what it is started with, and what the bot must be given
    server                the application and the process
    cloud, on_premises    the APIs: routes and access
    control               what the page and tests reach
    world                 all that is held while it runs; outgoing and incoming change it
    validate, dialects    what WhatsApp takes; answers: how it says no
    envelopes, signing    webhooks as bytes; webhooks: their delivery
    files, media, links   what goes as what; where it lies; what links lead to
"""
