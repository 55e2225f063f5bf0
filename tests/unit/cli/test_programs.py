"""Files and addresses that the two programs cannot use: one line each, exit code 2, no traceback."""

from __future__ import annotations

import pwd
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from trio_argoagent.pki import keys
from trio_argoagent.runtime import dependencies

from .conftest import Files, Run, pki

NO_PEM = b"this is no PEM\n"


def test_a_port_in_use(run: Run, files: Files) -> None:
    """The line names the address and the option to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = run(*files.principal(listen_port=str(port))).line
    assert line == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --listen-port"


@pytest.mark.parametrize("program", ["agent", "principal"])
def test_a_library_with_a_hole(
    run: Run, files: Files, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither program runs with it; its mistakes in other things are not looked at."""
    monkeypatch.setattr(dependencies, "FLOORS", {"h11": dependencies.Floor("99.9", ("CVE-1",))})
    line = run(*getattr(files, program)(root_ca_path="/missing")).line
    assert line == f"h11 {dependencies.stated('h11')} is too old (CVE-1): install 99.9 or newer"


@pytest.mark.parametrize("proxy", ["http://p:99999", "p:0", "ftp://p"])
def test_a_proxy_that_cannot_be(
    run: Run, files: Files, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is dialled; the line names the variable."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    line = run(*files.agent(server_address="192.0.2.1")).line
    assert line.startswith("HTTPS_PROXY: ") and line.endswith("http://host:port")


def test_a_host_that_is_not_here(run: Run, files: Files) -> None:
    """An address of another machine is not the port's fault."""
    line = run(*files.principal(listen_host="192.0.2.1")).line
    assert line.startswith("cannot listen on 192.0.2.1:0: ")
    assert line.endswith("; check --listen-host")


@pytest.mark.parametrize("option", ["tls-cert", "tls-key", "root-ca-path"])
def test_the_principals_files(run: Run, files: Files, option: str) -> None:
    """A file that is missing, is a folder, or is no PEM: the line names option and path."""
    missing = str(files.folder / "missing")
    line = run(*files.principal(**{option: missing})).line
    assert line == f"--{option}: cannot read {missing}: No such file or directory"
    folder = str(files.folder)
    line = run(*files.principal(**{option: folder})).line
    assert line == f"--{option}: cannot read {folder}: Is a directory"
    path = files.write("text", NO_PEM)
    line = run(*files.principal(**{option: path})).line
    assert line.startswith(f"--{option}: there is no readable ")
    assert path in line


@pytest.mark.parametrize("option", ["tls-client-cert", "tls-client-key", "root-ca-path"])
def test_the_agents_files(run: Run, files: Files, option: str) -> None:
    """Likewise for the agent's."""
    missing = str(files.folder / "missing")
    line = run(*files.agent(**{option: missing})).line
    assert line == f"--{option}: cannot read {missing}: No such file or directory"
    line = run(*files.agent(**{option: files.write("text", NO_PEM)})).line
    assert line.startswith(f"--{option}: there is no readable ")


def test_a_key_of_another_certificate(run: Run, files: Files) -> None:
    """The line names both files and both options."""
    path = files.write("other.key", pki().server("other")[1])
    line = run(*files.principal(tls_key=path)).line
    assert line.startswith(f"--tls-key: {path} is not the key of the certificate in ")
    assert "(--tls-cert)" in line
    line = run(*files.agent(tls_client_key=path)).line
    assert line.startswith(f"--tls-client-key: {path} is not the key of the certificate in ")


def test_a_key_with_a_password(run: Run, files: Files) -> None:
    """Nobody is asked for it: the line says what to do."""
    from cryptography.hazmat.primitives import serialization

    locked = keys.new_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    path = files.write("locked.key", locked)
    line = run(*files.principal(tls_key=path)).line
    assert line == f"--tls-key: the key in {path} is encrypted: store it without a password"


@pytest.mark.parametrize("program", ["principal", "agent"])
@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (None, "no kubeconfig at"),
        ("a: [1,", "is not YAML"),
        ("just words", "kubeconfig"),
        ('{"apiVersion": "v1", "kind": "Config"}', "current context"),
    ],
)
def test_kubeconfigs(run: Run, files: Files, program: str, content: str | None, hint: str) -> None:
    """A missing one, one that is no YAML, one that is something else: the line names the path."""
    path = str(files.folder / "missing") if content is None else files.write("bad", content)
    line = run(*getattr(files, program)(kubeconfig=path)).line
    assert path in line
    assert hint in line


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_an_unreadable_kubeconfig(run: Run, files: Files, program: str, tmp_path: Path) -> None:
    """What cannot be opened: the line names path and cause."""
    line = run(*getattr(files, program)(kubeconfig=str(tmp_path))).line
    assert str(tmp_path) in line
    assert "Is a directory" in line


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_a_context_that_does_not_exist(run: Run, files: Files, program: str) -> None:
    """The line names the contexts that do."""
    line = run(*getattr(files, program)(kubecontext="production")).line
    assert "'production'" in line
    assert "(contexts: main)" in line


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_the_usual_kubeconfig(run: Run, files: Files, program: str) -> None:
    """It is found without being named, as by ``ctl``, and a context is one of it."""
    usual = files.folder / ".kube" / "config"
    usual.parent.mkdir()
    given = [option for option in getattr(files, program)() if not option.startswith("--kubeconfig")]
    (files.folder / "config").rename(usual)
    line = run(*given, "--kubecontext=production").line
    assert "'production'" in line
    assert "(contexts: main)" in line


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_neither_kubeconfig_nor_pod(run: Run, files: Files, program: str) -> None:
    """Outside a cluster the line says what to give."""
    good = [option for option in getattr(files, program)() if not option.startswith("--kubeconfig")]
    line = run(*good).line
    assert line == "no kubeconfig at ~/.kube/config: give its path, or set KUBECONFIG"


@pytest.mark.parametrize("program", ["principal", "agent"])
@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("config/inside", "Not a directory"),
        ("around", "Too many levels of symbolic links"),
        ("x" * 300, "File name too long"),
    ],
)
@pytest.mark.parametrize("usual", [False, True])
def test_a_kubeconfig_that_cannot_be_looked_at(
    run: Run, files: Files, program: str, path: str, hint: str, usual: bool
) -> None:
    """It is not missing: the line names path and cause, whoever has named the file.

    Args:
        run: a program.
        files: it takes.
        program: which one.
        path: of the kubeconfig.
        hint: the cause.
        usual: is it the one of its home?
    """
    (files.folder / "around").symlink_to("around")
    given = [option for option in getattr(files, program)() if not option.startswith("--kubeconfig")]
    file = files.folder / path
    if usual:
        (files.folder / ".kube").symlink_to(file)
    line = run(*given, *([] if usual else [f"--kubeconfig={file}"])).line
    assert line.endswith(hint) and line.startswith("cannot read ")


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_nobody_s_home(
    run: Run, files: Files, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whom the system does not know, and without HOME, as containers run them, has no kubeconfig."""

    def unknown(uid: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    given = [option for option in getattr(files, program)() if not option.startswith("--kubeconfig")]
    assert run(*given).line.startswith("no kubeconfig at ~/.kube/config")
    assert run(*given, "--kubeconfig=~nobody-here/config").line.startswith("no kubeconfig at ~nobody-here")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_cannot_be_used(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The line names the variable; a principal on this machine is dialled straight."""
    monkeypatch.setenv(name, "socks5://me:secret@p:1080")
    line = run(*files.agent(server_address="hub.example")).line
    assert line == ("HTTPS_PROXY: a proxy of type socks5 is not supported: give one as http://host:port")


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_what_has_no_effect_is_logged(run: Run, files: Files, program: str) -> None:
    """Once, at the start, with the reason; it does not end the start."""
    said = run(
        *getattr(files, program)(root_ca_path="missing"), "--grpc-max-message-size=1", "--log-format=json"
    )
    remark, mistake = said.err.splitlines()
    assert '"option-ignored"' in remark and "--grpc-max-message-size has no effect: a large object" in remark
    assert mistake.startswith("error: --root-ca-path: cannot read missing")
