"""What can go wrong while course.py sets up: each time one sentence names the cause, and nothing is lost.

The network's faults come from servers on loopback, the others from a folder prepared for them.
"""

import http.server
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_course import NO_INDEX, bare_course, one_sentence, run_course, serve, write_wheel  # noqa: F401

import course

PROBE = "probe==1.0\n"


@pytest.fixture
def answers():
    """answers(status, headers): the address of a server that answers every request so."""
    servers = []

    def start(status, headers=(), wrap=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_CONNECT = do_HEAD = do_GET

            def log_message(self, *words):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        if wrap:
            servers[-1].socket = wrap(servers[-1].socket)
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def said(folder, **variables):
    """The one sentence of a set-up that wants the package `probe`."""
    (folder / "requirements.txt").write_text(PROBE)
    settings = {**NO_INDEX, "PIP_RETRIES": "0", "COURSE_CPU_INDEX": "", **variables}
    return one_sentence(run_course(folder, "claims", **settings))


def test_no_server(bare_course):  # noqa: F811
    assert "no network" in said(bare_course)


def test_a_name_that_nobody_knows(bare_course):  # noqa: F811
    assert "no network" in said(bare_course, PIP_INDEX_URL="https://index.invalid/simple")


def test_an_index_that_pip_does_not_trust(bare_course):  # noqa: F811
    assert "PIP_TRUSTED_HOST" in said(bare_course, PIP_INDEX_URL="http://index.invalid/simple")


def test_a_proxy_that_wants_a_password(bare_course, answers):  # noqa: F811
    proxy = "http://" + answers(407, [("Proxy-Authenticate", "Basic")])
    sentence = said(bare_course, PIP_INDEX_URL="https://index.invalid/simple", PIP_PROXY=proxy)
    assert "the proxy asks for a name and a password" in sentence


@pytest.mark.parametrize("status", [401, 403])
def test_a_mirror_that_refuses(bare_course, answers, status):  # noqa: F811
    assert "the package index refuses" in said(bare_course, PIP_INDEX_URL=f"http://{answers(status)}/simple")


def test_an_index_that_is_ill(bare_course, answers):  # noqa: F811
    assert "the package index answers with an error" in said(
        bare_course, PIP_INDEX_URL=f"http://{answers(503)}/simple"
    )


def test_an_index_without_the_package(bare_course, serve, tmp_path):  # noqa: F811
    (tmp_path / "empty").mkdir()
    sentence = said(bare_course, PIP_INDEX_URL=serve(tmp_path / "empty"))
    assert "has no package probe" in sentence


def test_a_certificate_that_is_not_known(bare_course, answers, tmp_path):  # noqa: F811
    key = tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", key, "-out", key.with_name("c.pem")], capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key.with_name("c.pem"), key)
    address = answers(200, wrap=lambda socket: context.wrap_socket(socket, server_side=True))
    address = address.replace("127.0.0.1", "localhost")  # pip 24.2 fails otherwise at a bare number
    assert "the network's certificate" in said(bare_course, PIP_INDEX_URL=f"https://{address}/simple")


def test_a_download_that_is_damaged(bare_course, serve, tmp_path):  # noqa: F811
    write_wheel(tmp_path / "main", "1.0")
    wheel = next((tmp_path / "main/probe").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:100])
    sentence = said(bare_course, PIP_INDEX_URL=serve(tmp_path / "main"))
    assert "installing failed" in sentence and "install.log" in sentence


def test_packages_that_do_not_go_together(bare_course, serve, tmp_path):  # noqa: F811
    write_wheel(tmp_path / "main", "1.0")
    (bare_course / "constraints.txt").write_text("probe==2.0\n")
    sentence = said(bare_course, PIP_INDEX_URL=serve(tmp_path / "main"))
    assert "the versions asked for do not go together" in sentence


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "utils/import_order.py"])
def test_a_file_of_the_course_is_missing(bare_course, name):  # noqa: F811
    (bare_course / name).unlink()
    sentence = one_sentence(run_course(bare_course, "claims", **NO_INDEX))
    assert Path(name).name in sentence and "is missing" in sentence


def test_a_file_stands_where_the_environment_should_be(bare_course):  # noqa: F811
    (bare_course / ".venv").write_text("mine")
    sentence = one_sentence(run_course(bare_course, "claims", **NO_INDEX))
    assert ".venv is a file" in sentence and (bare_course / ".venv").read_text() == "mine"


def test_offline_a_link_to_nowhere_does_not_cost_the_environment(bare_course):  # noqa: F811
    """The old one is kept, beside, until a new one is whole: with the network off, nothing is gone."""
    run_course(bare_course, "claims", **NO_INDEX)
    venv = bare_course / ".venv"
    (venv / "precious").write_text("gigabytes")
    python = course.python_of(venv)
    python.unlink()
    python.symlink_to("/nowhere/python")
    (bare_course / "requirements.txt").write_text(PROBE)
    assert "no network" in one_sentence(run_course(bare_course, "claims", **NO_INDEX))
    assert (venv / "precious").read_text() == "gigabytes"


def test_a_try_that_was_killed_leaves_the_old_environment_aside_until_a_new_one_is_whole(bare_course):  # noqa: F811
    aside = bare_course / ".venv.old"
    aside.mkdir()
    (aside / "precious").write_text("gigabytes")
    (bare_course / ".venv").mkdir()  # as far as that try came
    (bare_course / "requirements.txt").write_text(PROBE)
    assert "no network" in one_sentence(run_course(bare_course, "claims", **NO_INDEX))
    assert (bare_course / ".venv/precious").read_text() == "gigabytes" and not aside.exists()
    (bare_course / "requirements.txt").write_text("# nothing\n")
    run_course(bare_course, "claims", **NO_INDEX)
    assert not (bare_course / ".venv/precious").exists() and not aside.exists()


def test_a_base_python_that_has_gone_is_replaced(bare_course):  # noqa: F811
    run_course(bare_course, "claims", **NO_INDEX)
    python = course.python_of(bare_course / ".venv")
    python.unlink()
    python.symlink_to("/nowhere/python")
    result = run_course(bare_course, "claims", **NO_INDEX)
    assert "Installing" in result.stdout and course.can_run(python, "import pip")


def test_a_folder_that_has_moved_goes_on_without_network(bare_course, tmp_path):  # noqa: F811
    run_course(bare_course, "claims", **NO_INDEX)
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    os.rename(bare_course, moved)
    try:
        result = run_course(moved, "claims", **NO_INDEX)
        assert "Installing" not in result.stdout
        pip = course.python_of(moved / ".venv").with_name("pip")
        assert subprocess.run([pip, "--version"], capture_output=True, check=False).returncode == 0
    finally:
        os.rename(moved, bare_course)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(bare_course):  # noqa: F811
    bare_course.chmod(0o555)
    try:
        assert "no permission to write" in one_sentence(run_course(bare_course, "claims", **NO_INDEX))
    finally:
        bare_course.chmod(0o755)


def test_a_stop_is_one_sentence_and_the_next_try_goes_on(bare_course, monkeypatch, capsys):  # noqa: F811
    def stopped(venv, groups=()):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "set_up", stopped)
    assert course.main(["lab"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


def test_the_child_of_a_stopped_install_does_not_live_on(bare_course, monkeypatch):  # noqa: F811
    (bare_course / "pip.py").write_text("import time; time.sleep(600)")
    children = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        course.subprocess, "Popen", lambda *a, **k: children.append(popen(*a, **k)) or children[-1]
    )

    def stop(pip):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "follow", stop)
    monkeypatch.setattr(course, "ROOT", bare_course)
    (bare_course / ".venv/bin").mkdir(parents=True)
    course.python_of(bare_course / ".venv").symlink_to(sys.executable)
    with pytest.raises(KeyboardInterrupt):
        course.install(course.python_of(bare_course / ".venv"), "author")
    assert children and all(child.poll() is not None for child in children)
