"""Stand-ins for what the core asks of the world, held to the same port suites as the real ones; no test mocks our own code."""
