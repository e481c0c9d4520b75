"""The gate of the previews: who may open which app, and the receipts that it shows."""
