"""A package registry on this machine: PyPI's simple API (PEP 503, 691, 700) and npm's, with packages made on the spot."""

import base64
import contextlib
import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DAY = 86_400


def wheel(name: str, version: str, code: str, requires: str = "", *, called: str = "") -> bytes:
    """Return a wheel with one module that has the package's name; its information may be `called` as another version's."""
    info = f"{name}-{called or version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return body.getvalue()


def tarball(name: str, version: str, code: str, scripts: dict[str, str] | None = None) -> bytes:
    """Return an npm package with one module."""
    package = {"name": name, "version": version, "main": "index.js", "type": "module", "scripts": scripts or {}}
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for path, text in (("package/package.json", json.dumps(package)), ("package/index.js", code)):
            info = tarfile.TarInfo(path)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return body.getvalue()


@dataclass
class Registry:
    """What it has, and what was asked of it."""

    url: str = ""
    python: dict[str, dict[str, tuple[bytes, float]]] = field(default_factory=dict)
    node: dict[str, dict[str, tuple[bytes, float]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pages_only: bool = False
    """Answer as indexes did before PEP 691: pages of links, without dates."""

    def add(
        self, name: str, version: str, code: str = "", *, days: float = 400, requires: str = "", called: str = ""
    ) -> None:
        """Publish a package of Python so many days ago."""
        content = wheel(name, version, code, requires, called=called)
        self.python.setdefault(name, {})[version] = (content, time.time() - days * DAY)

    def add_node(
        self, name: str, version: str, code: str = "", *, days: float = 400, scripts: dict[str, str] | None = None
    ) -> None:
        """Publish a package of Node so many days ago."""
        self.node.setdefault(name, {})[version] = (tarball(name, version, code, scripts), time.time() - days * DAY)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and the body for a path, None for 404."""
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and parts[1] in self.python:
            files = [
                {"filename": f"{parts[1]}-{version}-py3-none-any.whl", "hashes": {}, "upload-time": _iso(when),
                 "url": f"{self.url}/files/{parts[1]}-{version}-py3-none-any.whl"}
                for version, (_, when) in self.python[parts[1]].items()
            ]  # fmt: skip
            body = {
                "meta": {"api-version": "1.1"},
                "name": parts[1],
                "files": files,
                "versions": [*self.python[parts[1]]],
            }
            return "application/vnd.pypi.simple.v1+json", json.dumps(body).encode()
        if parts[0] == "files":
            name, version = parts[1].split("-")[:2]
            return "application/octet-stream", self.python[name][version][0]
        if parts[0] == "npm" and len(parts) == 2 and parts[1] in self.node:
            versions = self.node[parts[1]]
            body = {
                "name": parts[1], "dist-tags": {"latest": max(versions)},
                "time": {version: _iso(when) for version, (_, when) in versions.items()},
                "versions": {
                    version: {"name": parts[1], "version": version, "dist": {
                        "tarball": f"{self.url}/npm/{parts[1]}/-/{version}.tgz",
                        "shasum": hashlib.sha1(content).hexdigest(),
                    }, "hasInstallScript": True}
                    for version, (content, _) in versions.items()
                },
            }  # fmt: skip
            return "application/json", json.dumps(body).encode()
        if parts[0] == "npm" and len(parts) == 4:
            return "application/octet-stream", self.node[parts[1]][parts[3].removesuffix(".tgz")][0]
        return None


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")


@contextlib.contextmanager
def serving() -> Iterator[Registry]:
    """Serve a registry on a port of this machine."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            found = registry.answer(self.path)
            self.send_response(200 if found else 404)
            kind, body = found or ("text/plain", b"no")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
