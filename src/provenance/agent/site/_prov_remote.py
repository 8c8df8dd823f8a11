"""What a program downloads: for each address once, what the answer said of its version.

Run by ``sitecustomize``; see `_prov_shims`. Addresses are kept without credentials and without
what signs them; never a body. Only what is asked for (GET) and was answered; not what trackers
send home.
"""

import os
import sys

load, log = globals()["load"], globals()["log"]
_shims, _patches, _told = load("_prov_shims"), load("_prov_patches"), load("_prov_told")
_secret = load("_prov_events")["secret"]

_MOST = 500
"""Addresses that are kept."""
_TRACKERS = frozenset(
    (
        "wandb mlflow comet_ml neptune clearml aim sentry_sdk posthog analytics segment "
        "codecarbon opentelemetry prometheus_client swanlab pip"
    ).split()
)
_SIGNING = (
    "x-amz-", "x-goog-", "awsaccesskeyid", "signature", "sig", "sv", "se", "sp", "sr", "st",
    "expires", "policy", "key-pair-id", "googleaccessid", "token", "access_token", "api_key",
    "apikey", "key", "auth", "x-xet-",
)  # fmt: skip
"""Names of query parameters that sign an address or let somebody in, or beginnings of them."""
_LOCAL = frozenset("file local memory".split())
_ADDRESS = "http:// https:// ftp:// s3:// s3a:// gs:// gcs:// az:// abfs:// abfss:// hf:// hdfs://"
_ADDRESSES = tuple(_ADDRESS.split())
_known = {}


def patch(name, module):
    """Replace what is known of ``module``, which has just been imported."""
    for dotted, around in _WRAPPED.get(name, ()):
        owner_name, _, function = dotted.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        if owner is not None and hasattr(owner, function):
            try:
                _shims["wrap"](owner, function, around)
            except (TypeError, AttributeError):
                continue
    if name == "sklearn.datasets":
        for function in [one for one in dir(module) if one.startswith("fetch_")]:
            _shims["wrap"](module, function, _fetched)


def told(url, library, **facts):
    """Tell of one address. facts: revision, etag, last_modified, size, status, path."""
    url = clean(url)
    facts = {key: value for key, value in facts.items() if value not in (None, "")}
    before = _known.get(url)
    if not url or (before is not None and facts.items() <= before.items()):
        return
    place, caller = _caller()
    if caller is None or len(_known) >= _MOST:
        return
    _known[url] = dict(before or {}, **facts)
    if isinstance(facts.get("path"), (str, bytes)) or hasattr(facts.get("path"), "__fspath__"):
        facts["path"] = os.path.abspath(os.fsdecode(facts["path"]))
    _told["noted"]("remote", dict(facts, url=url, library=caller or library, where=place))


def named(url):
    """Tell of an address that was given to a library in place of a path."""
    if url.startswith(_ADDRESSES):
        told(url, "")


def clean(url):
    """Return an address without credentials, fragment and the parameters that sign it."""
    scheme, mark, rest = str(url).partition("://")
    if not mark or len(url) > 4000:
        return ""
    rest = rest.partition("#")[0]
    place, _, query = rest.partition("?")
    host, slash, path = place.partition("/")
    words = [one for one in query.split("&") if one and not _signs(*one.partition("=")[::2])]
    query = "?" + "&".join(words) if words else ""
    return scheme + mark + host.rpartition("@")[2] + slash + path + query


def _signs(name, value):
    name = name.lower()
    return any(
        name == one or (one.endswith("-") and name.startswith(one)) for one in _SIGNING
    ) or _secret(name, value)


def _caller():
    """Return the user's line, and the library that it called; None for that where it tracks."""
    frame, outer = sys._getframe(2), ""
    for _ in range(200):
        if frame is None:
            break
        file = frame.f_code.co_filename
        if frame.f_globals.get("log") is not log and "<frozen" not in file:
            if not _patches["foreign"](file):
                return "%s:%d" % (os.path.abspath(file), frame.f_lineno), outer
            if "-packages/" in file:
                outer = str(frame.f_globals.get("__name__", "")).partition(".")[0]
                if outer in _TRACKERS:
                    return "", None
        frame = frame.f_back
    return "", outer


def _answered(url, library, status, headers, **more):
    """Tell of an answer to a GET; nothing of one that is no content."""
    if status is None or 200 <= status < 300:
        size = headers.get("content-length")
        told(
            url,
            library,
            status=status,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            size=int(size) if size and str(size).isdigit() else None,
            **more,
        )


# --- clients -----------------------------------------------------------------------------------


def _urllib(original, self, fullurl, *args, **kwargs):
    answer = original(self, fullurl, *args, **kwargs)
    try:
        url = getattr(fullurl, "full_url", fullurl)
        body = args[0] if args else kwargs.get("data")
        method = fullurl.get_method() if hasattr(fullurl, "get_method") else "GET"
        if method == "GET" and body is None and not url.startswith(("file:", "data:")):
            _answered(url, "urllib", getattr(answer, "status", None), answer.headers)
    except Exception:
        pass
    return answer


def _retrieved(original, *args, **kwargs):
    found = original(*args, **kwargs)
    try:
        url = args[0] if args else kwargs.get("url")
        if not url.startswith(("file:", "data:")):
            told(url, "urllib", path=found[0])
    except Exception:
        pass
    return found


def _requests(original, *args, **kwargs):
    answer = original(*args, **kwargs)
    try:
        request = args[1] if len(args) > 1 else kwargs.get("request")
        if request.method == "GET" and "/api/" not in str(request.url):
            _answered(str(request.url), "requests", answer.status_code, answer.headers)
    except Exception:
        pass
    return answer


def _opened(original, self, path, *args, **kwargs):
    """Watch fsspec: the address is that of the file system's protocol."""
    file = original(self, path, *args, **kwargs)
    try:
        mode = args[0] if args else kwargs.get("mode", "rb")
        protocol = self.protocol if isinstance(self.protocol, str) else self.protocol[0]
        if "r" in mode and protocol not in _LOCAL:
            facts = getattr(file, "__dict__", {}).get("_details") or {}
            etag = facts.get("ETag") or facts.get("etag")
            changed = facts.get("LastModified") or facts.get("last_modified")
            url = self.unstrip_protocol(self._strip_protocol(path))
            size = getattr(file, "size", None)
            size = size if isinstance(size, int) else None
            told(url, "fsspec", etag=etag, size=size, last_modified=changed and str(changed))
    except Exception:
        pass
    return file


def _got(original, self, rpath, lpath, *args, **kwargs):
    found = original(self, rpath, lpath, *args, **kwargs)
    try:
        protocol = self.protocol if isinstance(self.protocol, str) else self.protocol[0]
        if protocol not in _LOCAL and isinstance(rpath, str):
            told(self.unstrip_protocol(self._strip_protocol(rpath)), "fsspec", path=lpath)
    except Exception:
        pass
    return found


def _amazon(original, self, operation, *args, **kwargs):
    answer = original(self, operation, *args, **kwargs)
    try:
        asked = args[0] if args else kwargs.get("api_params")
        if operation == "GetObject" and not asked.get("Range", "bytes=0-").startswith("bytes=0-"):
            return answer
        if operation == "GetObject":
            told(
                "s3://%s/%s" % (asked["Bucket"], asked["Key"]),
                "boto3",
                etag=answer.get("ETag"),
                revision=answer.get("VersionId"),
                size=answer.get("ContentLength"),
                last_modified=str(answer.get("LastModified") or ""),
            )
    except Exception:
        pass
    return answer


# --- collections of data and models ----------------------------------------------------------


def _weights(original, *args, **kwargs):
    """Tell of weights even where an earlier run has left them in the cache."""
    found = original(*args, **kwargs)
    try:
        url = args[0] if args else kwargs.get("url")
        hub = sys.modules["torch.hub"]
        folder = kwargs.get("model_dir") or (args[1] if len(args) > 1 else None)
        folder = folder or os.path.join(hub.get_dir(), "checkpoints")
        name = kwargs.get("file_name") or os.path.basename(url.partition("?")[0])
        told(url, "torch", path=os.path.join(folder, name))
    except Exception:
        pass
    return found


def _repository(original, github, *args, **kwargs):
    """Tell of a repository of torch.hub, and of the branch or tag that was asked for."""
    folder = original(github, *args, **kwargs)
    try:
        repository, _, revision = github.partition(":")
        if not revision:
            tail = os.path.basename(folder)[len(repository) + 1 :]
            revision = tail or None
        told("https://github.com/" + repository, "torch", revision=revision, path=folder)
    except Exception:
        pass
    return folder


def _keras(original, *args, **kwargs):
    path = original(*args, **kwargs)
    try:
        url = kwargs.get("origin") or (args[1] if len(args) > 1 else None)
        digest = kwargs.get("file_hash") or kwargs.get("md5_hash")
        told(url, "keras", path=path, revision=digest)
    except Exception:
        pass
    return path


def _datasets(original, *args, **kwargs):
    """Tell of a data set of Hugging Face: what its cache says it was made from."""
    found = original(*args, **kwargs)
    try:
        name = args[0] if args else kwargs.get("path")
        parts = list(found.values()) if isinstance(found, dict) else [found]
        for part in parts[:20]:
            info = part.info
            sums = list(getattr(info, "download_checksums", None) or {})
            url = sums[0] if sums and "://" in sums[0] else "hf://datasets/%s" % name
            revision = url.partition("@")[2].partition("/")[0] if url.startswith("hf://") else ""
            files = getattr(part, "cache_files", None) or [{}]
            told(
                url if not url.startswith("hf://") else "hf://datasets/%s" % name,
                "datasets",
                revision=revision or str(getattr(info, "version", None) or ""),
                etag=getattr(part, "_fingerprint", None),
                path=files[0].get("filename"),
            )
    except Exception:
        pass
    return found


def _fetched(original, *args, **kwargs):
    """Tell where scikit-learn's data come from, also when they lie in its cache."""
    found = original(*args, **kwargs)
    try:
        names = getattr(original, "__globals__", {})
        while hasattr(original, "__wrapped__"):
            original = original.__wrapped__
            names = getattr(original, "__globals__", names)
        if getattr(found, "url", None):
            told(found.url, "sklearn", revision=str(found.details.get("version", "")))
        for value in list(names.values()):
            for one in value if type(value) is tuple else (value,):
                if type(one).__name__ == "RemoteFileMetadata":
                    told(one.url, "sklearn", revision=one.checksum)
    except Exception:
        pass
    return found


_WRAPPED = {
    "urllib.request": (("OpenerDirector.open", _urllib), ("urlretrieve", _retrieved)),
    "requests.sessions": (("Session.send", _requests),),
    "httpx._client": (("Client.send", _requests),),
    "httpx2._client": (("Client.send", _requests),),
    "fsspec.spec": (("AbstractFileSystem.open", _opened), ("AbstractFileSystem.get_file", _got)),
    "botocore.client": (("BaseClient._make_api_call", _amazon),),
    "torch.hub": (("load_state_dict_from_url", _weights), ("_get_cache_or_reload", _repository)),
    "keras.src.utils.file_utils": (("get_file", _keras),),
    "datasets.load": (("load_dataset", _datasets),),
    "sklearn.datasets": (),
}
"""Module to its functions; of scikit-learn all that begin with fetch."""
