"""A model repository on the Hugging Face Hub: whom to ask, with which token, and what refusals mean.

Endpoint (HF_ENDPOINT), token (``hf auth login`` or HF_TOKEN) and offline mode (HF_HUB_OFFLINE) are huggingface_hub's.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.remote_file import RemoteFile


class HubRepository:
    """One revision of one repository.

    Attributes:
        repo, revision: as asked for.
        commit: the commit that the revision stood for when it was first asked; every later file is read from it.
        place: for messages.
        transport_error: what the HTTP client raises when a connection fails or breaks.
    """

    def __init__(self, repo: str, revision: str) -> None:
        """Nothing is asked of the server yet; BlockError when the name is no repository's."""
        from huggingface_hub.errors import HFValidationError, HTTPError
        from huggingface_hub.utils import validate_repo_id

        try:
            validate_repo_id(repo)
        except HFValidationError as error:
            raise BlockError(f"hub:{repo} is not the name of a repository (OWNER/NAME): {error}") from None
        self.repo = repo
        self.revision = revision
        self.commit = revision
        self.place = f"hub:{repo}@{revision}"
        self.transport_error: type[Exception] = HTTPError

    def file(self, name: str) -> RemoteFile:
        """One of its files."""
        return RemoteFile(self, name)

    def stream(self, name: str, headers: dict[str, str], timeout: float) -> AbstractContextManager[Any]:
        """An open HTTP answer for one file; BlockError in offline mode."""
        from huggingface_hub import hf_hub_url, is_offline_mode
        from huggingface_hub.utils import build_hf_headers, get_session

        if is_offline_mode():
            raise BlockError(
                f"{self.place} is not in the cache and HF_HUB_OFFLINE is set; unset it, or fetch the layers elsewhere "
                "with tools/extract_block.py and use file:PATH"
            )
        url = hf_hub_url(self.repo, name, revision=self.commit, endpoint=os.environ.get("HF_ENDPOINT"))
        return get_session().stream(
            "GET", url, headers=build_hf_headers() | headers, timeout=timeout, follow_redirects=True
        )

    def require_success(self, response: Any, name: str) -> None:
        """Pin the commit; turn a refusal into what to do about it.

        Raises:
            FileNotFoundError: the file is not in the repository.
            BlockError: no access, no such repository or revision, or any other refusal.
        """
        status, code = response.status_code, response.headers.get("X-Error-Code", "")
        if status in (401, 403):
            raise BlockError(
                f"{self.place}: access refused (HTTP {status}). If the repository is gated, accept its licence on "
                f"https://huggingface.co/{self.repo} and run `hf auth login`; if not, check the name {self.repo!r}"
            )
        if status == 404 and code in ("RepoNotFound", "RevisionNotFound"):
            what = f"no revision {self.revision!r}" if code == "RevisionNotFound" else f"no repository {self.repo!r}"
            raise BlockError(f"{self.place}: the hub has {what} (HTTP 404); check the source's spelling")
        if status == 404:
            raise FileNotFoundError(name)
        if status >= 400:
            raise BlockError(f"{self.place}/{name}: the server answers HTTP {status}; try again later")
        self.commit = next(filter(None, map(_commit, [*response.history, response])), self.commit)

    def unreachable(self, name: str, error: Exception) -> BlockError:
        """The error after the last retry."""
        return BlockError(
            f"{self.place}/{name} cannot be fetched ({type(error).__name__}: {error}) after several tries; check the "
            "network and HF_ENDPOINT, then run the same command again"
        )


def _commit(response: Any) -> str | None:
    commit: str | None = response.headers.get("X-Repo-Commit")
    return commit
