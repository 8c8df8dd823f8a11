"""`core.redact`: secrets go, ordinary code, logs and settings stay as they are."""

from __future__ import annotations

import base64
import hashlib
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core.redact import MASK, Redactor, is_secret_name, without_credentials

RANDOM = "q7Rk2mZx9LpT4vWn8BcY3dFg"
"""Twenty-four characters that look like a key and have no known form."""

LEAKS = [
    ("password = 'hunter2!'", "hunter2!"),
    ('{"password": "hunter22"}', "hunter22"),
    ('{\\"password\\": \\"hunter22\\"}', "hunter22"),
    ("db_password: s3cretpw", "s3cretpw"),
    ("export DB_PASSWORD=letmein", "letmein"),
    ("ENV API_KEY=abcdefgh", "abcdefgh"),
    ('password: str = "hunter22"', "hunter22"),
    ('api_key=SecretStr("abc123abc123")', "abc123abc123"),
    ("os.environ['OPENAI_API_KEY'] = 'abc-def-123'", "abc-def-123"),
    (f"os.environ.setdefault('MY_TOKEN', '{RANDOM}')", RANDOM),
    (f"token = '{RANDOM}'", RANDOM),
    (f"--token={RANDOM}", RANDOM),
    (f"AccountName=x;AccountKey={RANDOM}+/==;EndpointSuffix=y", RANDOM),
    (f"aws_secret_access_key = {RANDOM}wJalrXUtnFEMI/K7", "wJalrXUtnFEMI"),
    (f'"SecretAccessKey": "{RANDOM}"', RANDOM),
    ("https://user:tok@host/x.git", "user:tok"),
    ("https://ghp_abc123def456@github.com/x", "ghp_abc123def456"),
    ("postgres://u:p@h/db", "u:p"),
    ("redis://:pw@h:6379", ":pw"),
    ("postgresql+psycopg2://me:p@ss@db.example/x", "p@ss"),
    ("--index-url https://__token__:abc@pypi.example/simple", "abc@"),
    (f"https://h/x?a=1&X-Amz-Signature={RANDOM}&b=2", RANDOM),
    ("https://h/x?token=abcdef12", "abcdef12"),
    (f"https://h/x?sv=2020&sig={RANDOM}%3D", RANDOM),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ('-H "Authorization: token abcdef0123"', "abcdef0123"),
    ('{"Authorization": "Bearer abc.def-123"}', "abc.def-123"),
    (f"curl -H 'X: Bearer {RANDOM}'", RANDOM),
    ("Cookie: session=abc123; csrftoken=def456", "abc123"),
    ("machine h.example login me password opensesame", "opensesame"),
    ("Server=h;Uid=me;Pwd=open1sesame;", "open1sesame"),
    ("requests.get(u, auth=('me', 'pa55word'))", "pa55word"),
    ("wandb login " + "0123456789abcdef" * 2 + "01234567", "0123456789abcdef"),
    ("hooks.slack.com/services/T00000000/B00000000/XXYYZZ11", "XXYYZZ11"),
    ("x AKIAIOSFODNN7EXAMPLE y", "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_" + "a1B2" * 9, "a1B2"),
    ("sk-proj-" + "aB3_" * 8, "aB3_aB3"),
    ("key sk-" + "a1B2" * 12, "a1B2a1B2"),
    ("hf_" + "AbCd" * 8, "AbCdAbCd"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4", "SflKxw"),
    ("SG." + "a1B2" * 6 + "." + "c3D4" * 8, "c3D4"),
    ("ya29." + "a1B2" * 8, "a1B2a1B2"),
    ("bot123456789:" + "AbCdE" * 7, "AbCdEAbCdE"),
]

ORDINARY = [
    "token = tokenizer.encode(x)",
    "token = tokenizer.encode('Hello_World_2024_abcdefgh')",
    "max_tokens: 1024",
    "max_new_tokens=512",
    "num_tokens=512, tokens/s: 11234.5",
    "python train.py --tokenizer bert --pass 3",
    "eos_token: '<|endoftext|>'",
    "pad_token = '[PAD]', bos_token='begin_of_text_0123456789ab'",
    "author='Jane Doe', authors=['A', 'B']",
    "__author__ = 'someone1234567890abc'",
    "commit 5f2a9c8d7e6b5a4938271605f4e3d2c1b0a99887",
    "sha256: " + hashlib.sha256(b"x").hexdigest(),
    "password = getpass.getpass('Password: ')",
    "password = input('Enter password: ') or 'x'",
    "def f(password: str, token: Optional[str] = None, api_key=None) -> str:",
    "connect(password=password, token=args.token, secret=config.secret_1)",
    "api_key = os.environ['OPENAI_API_KEY']",
    "api_key = os.getenv('OPENAI_API_KEY')",
    'key_name = "api_key"; api_key="OPENAI_API_KEY"',
    "parser.add_argument('--password', '--token', help='the password')",
    "secret: ${{ secrets.DEPLOY_KEY_2024 }}",
    "password: ${DB_PASSWORD}",
    "PASSWORD=$PASSWORD",
    "api_key = '<your api key>'; token = 'your-token-goes-here-123'",
    "password = f'{user}:{pw}'",
    "f'postgres://{user}:{password}@{host}/db'",
    "http://localhost:8080/path@v1",
    "git clone ssh://git@github.com/x/y.git",
    "git@github.com:x/y.git",
    "https://github.com/x/y@v1.2.3",
    "https://dev.azure.com/org https://org@dev.azure.com/org",
    "https://h/x?page=2&key=name&sort=asc",
    "for key, value in d.items(): cache_key = 'abcdefgh12345678abcd'",
    "key: value0123456789abcdef",
    "Basic configuration; bearer authentication-required-here",
    "if line.startswith('-----BEGIN RSA PRIVATE KEY-----'):\n    go()\n",
    "self.token_embedding = nn.Embedding(num_tokens, dim)",
    "token_type_ids=token_type_ids, token_dropout: 0.15",
    "secret_count = 123456; auth: basic; cookie: true",
    "risk-assessment-of-something-very-long-indeed task-sk-learn",
    "sk-learn-contrib-experimental-features",
    "password_file: /run/secrets/db1; token_path='~/.cache/huggingface/token1'",
    "PassManager=3 bypass=0123456789abcdef01 compass: 'north1234567890ab'",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 4).decode(),
    "step 12 loss=0.123456 pass: 1 token: 17",
]


@pytest.mark.parametrize(("text", "secret"), LEAKS, ids=[t[:40] for t, _ in LEAKS])
def test_secrets_are_replaced_in_text_and_bytes(text: str, secret: str) -> None:
    for around in ("%s", "a\n%s\nb", "+%s"):
        redact = Redactor()
        clean = redact.text(around % text)
        assert secret not in clean
        assert MASK in clean
        assert redact.hits >= 1
        assert redact.data((around % text).encode()) == clean.encode()


@pytest.mark.parametrize("text", ORDINARY, ids=lambda t: t[:40])
def test_ordinary_text_stays(text: str) -> None:
    redact = Redactor()
    assert redact.text(text) is text
    assert redact.hits == 0


def test_the_standard_library_has_no_secrets() -> None:
    found = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        data = path.read_bytes()
        clean = Redactor().data(data)
        if clean != data:
            pairs = zip(data.splitlines(), clean.splitlines(), strict=True)
            found += [(path.name, a) for a, b in pairs if a != b]
    # examples of credentials, which look like what they are examples of
    assert [f for f in found if f[0] not in ("netrc.py", "ftplib.py", "smtplib.py")] == []


KEY = "\n".join(
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        *["MIIE" + "aB3d" * 15] * 5,
        "aB3d=",
        "-----END RSA PRIVATE KEY-----",
    ]
)


def test_a_private_key_is_blanked_line_by_line() -> None:
    clean = Redactor().text("before\n%s\nafter\n" % KEY)
    assert "aB3d" not in clean
    assert len(clean.splitlines()) == len(KEY.splitlines()) + 2
    assert clean.startswith("before\n")
    assert clean.endswith("\nafter\n")


def test_a_private_key_in_json_and_one_that_is_cut_off() -> None:
    assert "aB3d" not in Redactor().text('{"private_key": "%s"}' % KEY.replace("\n", "\\n"))
    assert "aB3d" not in Redactor().text(KEY.rpartition("\n")[0])
    tail = Redactor().text("a word\n" + KEY.partition("\n")[2])
    assert "aB3d" not in tail
    assert tail.startswith("a word\n<redacted>\n")


def test_values_of_secret_variables_are_found_anywhere() -> None:
    environ = {"MY_API_KEY": "correct-horse", "HOME": "/home/me", "DB": "x://me:pw%40long@h/d"}
    redact = Redactor.from_environment(environ)
    assert redact.text("the correct-horse!") == "the %s!" % MASK
    assert redact.data(b"\xff correct-horse \xfe") == b"\xff %s \xfe" % MASK.encode()
    assert "pw%40long" not in redact.text("password is pw%40long .")
    assert redact.text("/home/me") == "/home/me"


def test_a_secret_variable_is_found_as_written_in_urls_and_json() -> None:
    redact = Redactor(['a"b/c d\\e'])
    assert redact.text("x a%22b%2Fc%20d%5Ce x") == "x %s x" % MASK
    assert redact.text('x a\\"b/c d\\\\e x') == "x %s x" % MASK


@pytest.mark.parametrize(
    "environ",
    [{"PASSWORD": "password"}, {"USE_TOKEN": "true"}, {"TOKEN_FILE": "/run/x"}, {"PASS": "123456"},
     {"SSH_AUTH_SOCK": "agent1234"}, {"EOS_TOKEN": "newline1"}, {"MAX_TOKENS": "102400"},
     {"GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key.json"}],
    ids=str,
)  # fmt: skip
def test_values_that_are_no_secrets_do_not_blank_ordinary_text(environ: dict[str, str]) -> None:
    redact = Redactor.from_environment(environ)
    text = "password true /run/x 123456 agent1234 newline1 102400 /home/me/key.json"
    assert redact.text(text) == text


def test_a_short_literal_is_not_found_within_longer_words() -> None:
    redact = Redactor(["123456"])
    assert redact.text("0.123456 loss1234567") == "0.%s loss1234567" % MASK


@pytest.mark.parametrize(
    ("argv", "clean"),
    [
        (["x", "--password", "p"], ["x", "--password", MASK]),
        (["x", "--password=p", "y"], ["x", "--password=" + MASK, "y"]),
        (["x", "--api-key", "k", "--lr", "1"], ["x", "--api-key", MASK, "--lr", "1"]),
        (["x", "--token", "-abcdef1"], ["x", "--token", MASK]),
        (["x", "wandb.api_key=abc"], ["x", "wandb.api_key=" + MASK]),
        (["env", "HF_TOKEN=abcdef1", "x"], ["env", "HF_TOKEN=" + MASK, "x"]),
        (["curl", "-u", "me:pw", "h"], ["curl", "-u", MASK, "h"]),
        (["sshpass", "-p", "pw", "ssh"], ["sshpass", "-p", MASK, "ssh"]),
        (["wandb", "login", "0123456789abcdef" * 2], ["wandb", "login", MASK]),
        (["x", "--tokenizer", "bert", "--max-tokens", "1024"], None),
        (["x", "--eos-token", "</s>", "--pass", "2", "--auth", "basic"], None),
        (["x", "--credentials", "./keys/gcp.json"], None),
        (["x", "--token-file", "t.txt", "--author", "me"], None),
        (["x", "--use-token", "--lr", "0.1", "token", "key=value"], None),
        (["x", "--password", "$PASSWORD", "--secret=None"], None),
    ],
    ids=str,
)
def test_command_lines(argv: list[str], clean: list[str] | None) -> None:
    assert Redactor().argv(argv) == tuple(argv if clean is None else clean)


def test_named_values() -> None:
    redact = Redactor()
    value = {"db": {"password": "x", "host": "h", "pool": [1, None]}, "api_keys": [RANDOM],
             "eos_token": "</s>", "tokenizer": "bert", "max_tokens": 5, "passphrase": 123456,
             "url": "https://u:p@h"}  # fmt: skip
    clean = redact.value("config", value)
    assert clean["db"] == {"password": MASK, "host": "h", "pool": [1, None]}
    assert (clean["eos_token"], clean["tokenizer"], clean["max_tokens"]) == ("</s>", "bert", 5)
    assert clean["passphrase"] == MASK
    assert clean["api_keys"] == [MASK]
    assert clean["url"] == "https://%s@h" % MASK


def test_a_settings_file_has_no_expressions() -> None:
    text = "password: letmein # mine\ntoken: config.abc1\nname: x\nsecret: null\n"
    clean = Redactor().text(text, settings=True)
    assert clean == "password: %s # mine\ntoken: %s\nname: x\nsecret: null\n" % (MASK, MASK)
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "name", "API_KEY dbPassword aws_secret_access_key HF_TOKEN x.token".split()
)
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", "tokenizer max_tokens eos_token author key monkey token_count PATH compass ''".split()
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:tok@host/x.git", "https://host/x.git"),
        ("https://tok@host/x@y", "https://host/x@y"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://me:pw@host:22/x", "ssh://me@host:22/x"),
        ("git+ssh://git@host/x", "git+ssh://git@host/x"),
        ("git@host:x.git", "git@host:x.git"),
        ("/srv/x@y.git", "/srv/x@y.git"),
        ("file:///srv/x", "file:///srv/x"),
    ],
)
def test_urls_without_credentials(url: str, clean: str) -> None:
    assert without_credentials(url) == clean


WORDS = "password token = ' h/ ?key= https:// u:p @ hunter22 é \\ \" AKIAIOSFODNN7EXAMPLE".split()
PARTS = st.sampled_from(
    [*WORDS, RANDOM, MASK, KEY, "Bearer ", "Authorization: ", ": ", " ", "\n", "\udcff"]
)
TEXTS = st.one_of(st.text(), st.lists(PARTS, max_size=12).map("".join))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_twice_is_once_and_lines_stay(text: str) -> None:
    redact = Redactor([RANDOM])
    clean = redact.text(text)
    before = redact.hits
    assert redact.text(clean) == clean
    assert redact.hits == before
    assert clean.count("\n") == text.count("\n")
    assert RANDOM not in clean


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(), TEXTS.map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_bytes_without_secrets_stay_and_utf8_is_never_cut(data: bytes) -> None:
    redact = Redactor()
    clean = redact.data(data)
    if redact.hits == 0:
        assert clean is data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return
    clean.decode("utf-8")


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([s for _, s in LEAKS if len(s) > 12]))
def test_a_known_secret_is_found_wherever_it_stands(before: str, after: str, secret: str) -> None:
    known = secret + RANDOM
    assert known not in Redactor([known]).text(before + known + after)


def test_holds_secret_looks_into_utf16_and_counts_nothing() -> None:
    redact = Redactor()
    assert redact.holds_secret(("x ghp_" + "a1B2" * 9).encode("utf-16"))
    assert redact.holds_secret(b"\x00\x01 AKIAIOSFODNN7EXAMPLE \xff")
    assert not redact.holds_secret(bytes(range(256)) * 20)
    assert redact.hits == 0
