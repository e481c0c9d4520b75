"""Where untrusted code runs: Docker, or bubblewrap where there is no Docker."""
