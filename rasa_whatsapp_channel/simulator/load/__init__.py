"""Load test (``rasa-whatsapp simulate --load``): many users at once, and the results."""
