"""Running apps and the way to them: runtimes start them, Caddy leads to them, a browser looks at them."""
