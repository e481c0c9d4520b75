"""How the ports are carried out: folder = port, file = technology. Only adapters import SDKs, each in one place."""
