import pytest

from emulator.launchers.host import host_files


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".config/pip").mkdir(parents=True)
    return tmp_path


def test_only_what_pip_and_tls_need_goes_in(home):
    environ = {"HOME": str(home), "AWS_SECRET_ACCESS_KEY": "x", "PIP_INDEX_URL": "http://i", "https_proxy": "http://p"}
    assert host_files(environ).env == {"PIP_INDEX_URL": "http://i", "https_proxy": "http://p"}


def test_local_indexes_and_wheels_are_shown(home):
    for name in ("wheels", "index", "more"):
        (home / name).mkdir()
    config = home / ".config/pip/pip.conf"
    config.write_text(
        f"[global]\nfind-links = {home}/wheels\nextra-index-url = file://{home}/index http://far {home}/gone\n"
    )
    files = host_files({"HOME": str(home), "PIP_FIND_LINKS": str(home / "more")}).files
    shown = {path for path in files if path[0].startswith(str(home))}
    assert shown == {(str(config), "/root/.config/pip/pip.conf")} | {
        (str(home / name), str(home / name)) for name in ("wheels", "index", "more")
    }


def test_an_index_of_files_is_shown_with_the_packages_beside_its_pages(home):
    (home / "index" / "simple").mkdir(parents=True)
    files = host_files({"HOME": str(home), "PIP_INDEX_URL": f"file://{home}/index/simple/"}).files
    assert (str(home / "index"), str(home / "index")) in files


def test_a_certificate_outside_the_usual_places_is_shown(home):
    (home / "ca.pem").write_text("x")
    environ = {"HOME": str(home), "SSL_CERT_FILE": str(home / "ca.pem"), "SSL_CERT_DIR": "/etc/ssl/certs"}
    files = host_files(environ)
    assert (str(home / "ca.pem"), str(home / "ca.pem")) in files.files
    assert "/etc/ssl/certs" not in [path for path, _ in files.files]
    assert files.env["SSL_CERT_FILE"] == str(home / "ca.pem")


@pytest.mark.parametrize("content", [b"not an ini file", b"\xff\xfe", b"[global]\nfind-links = %(x)s\n"])
def test_a_broken_configuration_is_left_to_pip(home, content):
    (home / ".config/pip/pip.conf").write_bytes(content)
    assert (str(home / ".config/pip/pip.conf"), "/root/.config/pip/pip.conf") in host_files({"HOME": str(home)}).files


def test_a_changed_configuration_is_seen(home):
    for name in ("one", "two"):
        (home / name).mkdir()
        (home / ".config/pip/pip.conf").write_text(f"[global]\nfind-links = {home / name}\n")
        assert str(home / name) in [path for path, _ in host_files({"HOME": str(home)}).files]


def test_proxies_and_indexes_of_the_machine_itself_are_found(home):
    (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = http://user:pw@localhost:3141/root/pypi\n")
    environ = {"HOME": str(home), "https_proxy": "http://127.0.0.1:3128", "http_proxy": "http://proxy.example:80"}
    assert {3128, 3141} <= set(host_files(environ).loopback_ports)
    assert 80 not in host_files(environ).loopback_ports
