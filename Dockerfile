# The bot itself. Generated apps run in another image: adapters/sandbox/image/Dockerfile.
ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE} AS build
WORKDIR /bot
COPY requirements.lock .
RUN python3 -m venv .venv && .venv/bin/pip install -q --no-cache-dir -r requirements.lock

FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends git bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /bot
COPY --from=build /bot/.venv .venv
COPY pyproject.toml .
COPY core core
COPY adapters adapters
COPY bot bot
COPY migrations migrations
RUN useradd --create-home bot && mkdir /data && chown bot /data
USER bot
ENV THREADWRIGHT_DATA_DIR=/data THREADWRIGHT_HOST=0.0.0.0 THREADWRIGHT_PREVIEW_BIND=0.0.0.0 THREADWRIGHT_BROWSER=none
VOLUME /data
EXPOSE 8000 8001
CMD [".venv/bin/python", "-m", "bot", "serve"]
