"""Where libvirt's certificates for migration are, by its own settings, and whether they are whole."""

from pathlib import Path

from cloudsync.agent.certificates import for_migration

NAMES = ("ca-cert.pem", "server-cert.pem", "server-key.pem", "client-cert.pem", "client-key.pem")


def test_all_of_them_in_the_folder_that_libvirt_reads(tmp_path: Path) -> None:
    config, own, common = tmp_path / "qemu.conf", tmp_path / "own", tmp_path / "common"
    config.write_text(f'#migrate_tls_x509_cert_dir = "{own}"\ndefault_tls_x509_cert_dir = "{common}"\n')
    for name in NAMES:
        assert not for_migration(config)
        common.mkdir(exist_ok=True)
        (common / name).touch()
    assert for_migration(config)
    config.write_text(f'{config.read_text()} migrate_tls_x509_cert_dir="{own}"\n')
    assert not for_migration(config)
