"""Every setting, read once from the environment, frozen."""

import os
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.store.database import sqlite_url
from core.errors import UserError

PREFIX = "THREADWRIGHT_"
# Provider keys by the names that everybody uses; the first one that is set wins.
PROVIDER_KEYS = {
    "openrouter": "OPENROUTER_API_KEY", "groq": "GROQ_API_KEY", "cerebras": "CEREBRAS_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY", "gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY",
}  # fmt: skip


class Settings(BaseSettings):
    """What an operator can set, as environment variables with the prefix THREADWRIGHT_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True
    )

    data_dir: Path = Field(
        Path("data"), description="The folder that holds all state: database, repositories, pictures."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="postgresql+psycopg://… for more than one worker; empty is a SQLite file in data_dir. DATABASE_URL works too.",
    )
    host: str = Field(
        "127.0.0.1", description="The address the web pages listen on; the local chat has no log-in, keep it local."
    )
    port: int = Field(8000, ge=1, le=65535, description="The port of the web pages.")
    web_hosts: str = Field(
        "", description="Further names, with port, by which the web pages may be opened; separated by commas."
    )
    tls_from: str = Field(
        "127.0.0.1,::1",
        description="The proxies that may ask /tls whether a certificate is for one of the previews; addresses or names, separated by commas.",
    )
    preview_zone: str = Field(
        "preview.localhost",
        pattern=r"^[a-z0-9.-]+$",
        description="Previews live at <name>.<zone>; browsers find *.localhost by themselves.",
    )
    preview_port: int = Field(8001, ge=1, le=65535, description="The port of the previews.")
    preview_bind: str = Field("127.0.0.1", description="The address the previews listen on.")
    preview_url: str = Field(
        "", description="How people reach previews, with {slug}; empty is http://{slug}.<zone>:<port>."
    )
    preview_link_hours: int = Field(24 * 7, ge=1, description="Hours for which a preview link opens.")
    sandbox: Literal["auto", "docker", "bubblewrap", "none"] = Field(
        "auto", description="Where generated code runs; auto takes Docker if its image is built, else bubblewrap."
    )
    browser: str = Field("auto", description="A Chromium for screenshots; auto looks on PATH, none takes no pictures.")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="Slack's bot token, xoxb-…; connects Slack.")
    slack_app_token: SecretStr = Field(
        SecretStr(""), description="Slack's app-level token, xapp-…, for Socket Mode; no public address is needed."
    )
    slack_signing_secret: SecretStr = Field(
        SecretStr(""),
        description="Slack's signing secret, for events over HTTP at /slack/events, without an app token.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's Web API; another for GovSlack.")
    discord_token: SecretStr = Field(SecretStr(""), description="Discord's bot token; connects Discord.")
    discord_api_url: str = Field("", description="Discord's HTTP API, if it is reached through a proxy of yours.")
    discord_gateway_url: str = Field("", description="Discord's gateway, likewise.")
    chat_channels: str = Field(
        "", description="Ids of the channels in which people may start something, separated by commas; empty is all."
    )
    chat_people: str = Field(
        "", description="Ids of the people, or Discord roles, who may start something; empty is everyone."
    )
    model_name: str = Field("", description="The model's name at its provider; empty is the provider's default here.")
    model_base_url: str = Field("", description="Any OpenAI-compatible endpoint, up to and without /chat/completions.")
    model_api_key: SecretStr = Field(SecretStr(""), description="The key for model_base_url.")
    model_input_usd: float = Field(
        0.0, ge=0, description="US dollars for a million input tokens, where the provider names no cost."
    )
    model_output_usd: float = Field(0.0, ge=0, description="US dollars for a million output tokens, likewise.")
    model_seconds: float = Field(
        180.0, gt=0, description="Seconds for one answer of the model; long files take minutes."
    )
    model_context: int = Field(
        128_000, ge=1_000, description="Tokens that fit into one request to the model; replies say how much was used."
    )
    budget_tokens: int = Field(2_000_000, ge=1, description="Tokens one turn may use, in and out together.")
    budget_usd: float = Field(5.0, ge=0, description="US dollars one turn may cost; 0 is no limit.")
    budget_calls: int = Field(300, ge=1, description="Model calls one turn may make.")
    pypi_url: str = Field(
        "https://pypi.org/simple/",
        description="The index from which apps may ask for packages of Python; empty is none.",
    )
    npm_url: str = Field("https://registry.npmjs.org/", description="The registry for packages of Node, likewise.")
    registry_hosts: str = Field(
        "", description="More hosts, as host:port with commas, on which those registries keep files."
    )
    package_days: int = Field(
        7, ge=0, description="Days that a version of a package must be old before an app may have it."
    )
    preview_pool: int = Field(
        1, ge=0, le=10, description="Warm containers kept ready for new previews in Docker, some 80 MB each."
    )
    preview_running: int = Field(
        12, ge=1, description="Previews of dynamic apps that run at once; one more stops the one not used for longest."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least level that is logged."
    )

    @model_validator(mode="after")
    def _model_is_whole(self) -> Self:
        for host in self.listed("registry_hosts"):
            if not re.fullmatch(r"[\w.-]+(?::\d{1,5})?", host):
                raise ValueError(
                    f"THREADWRIGHT_REGISTRY_HOSTS: {host!r} is no host and port, like files.example.com:443"
                )
        if self.model_base_url and not self.model_name:
            raise ValueError("THREADWRIGHT_MODEL_BASE_URL needs THREADWRIGHT_MODEL_NAME")
        if self.slack_bot_token.get_secret_value() and not (
            self.slack_app_token.get_secret_value() or self.slack_signing_secret.get_secret_value()
        ):
            raise ValueError("THREADWRIGHT_SLACK_BOT_TOKEN needs THREADWRIGHT_SLACK_APP_TOKEN or …_SIGNING_SECRET")
        return self

    @property
    def store_url(self) -> str:
        """Return the database's URL for SQLAlchemy."""
        url = self.database_url.get_secret_value()
        if not url:
            return sqlite_url(str(self.data_dir.resolve() / "threadwright.db"))
        for short in ("postgresql://", "postgres://"):
            url = url.replace(short, "postgresql+psycopg://", 1) if url.startswith(short) else url
        return url

    def listed(self, name: str) -> frozenset[str]:
        """Return the parts of a setting that is a list with commas."""
        return frozenset(part.strip() for part in str(getattr(self, name)).split(",") if part.strip())

    def preview_link(self, slug: str) -> str:
        """Return the address of a preview, without its signature."""
        pattern = self.preview_url or f"http://{{slug}}.{self.preview_zone}:{self.preview_port}"
        return pattern.format(slug=slug)

    def provider(self) -> tuple[str, str] | None:
        """Return (provider, key) of the first provider key that is set in the environment."""
        found = ((name, os.environ.get(variable, "")) for name, variable in PROVIDER_KEYS.items())
        return next((one for one in found if one[1]), None)


def read_settings(data_dir: Path | None = None) -> Settings:
    """
    Read the environment; `data_dir` of the command line wins.

    Raises:
        UserError: a variable is unknown or wrong; names it, never its value.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    if unknown := [name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known]:
        raise UserError(f"There is no setting {', '.join(sorted(unknown))}. `python -m bot doctor` lists all settings.")
    given: dict[str, object] = {"data_dir": data_dir} if data_dir else {}
    if (url := os.environ.get("DATABASE_URL")) and f"{PREFIX}DATABASE_URL" not in os.environ:
        given["database_url"] = SecretStr(url)
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"{PREFIX}{'.'.join(map(str, one['loc'])).upper() or 'MODEL'}: {one['msg']}" for one in error.errors()]
        raise UserError("The settings are not right. " + "; ".join(lines)) from None
