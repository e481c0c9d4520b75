"""What is asked of a language model (`chat`), what it may cost (`metered`), and answers of a strict type (`structured`)."""
