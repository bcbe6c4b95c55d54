# Makes Debian's minimal base a lab host. Runs once, inside the new image.
export DEBIAN_FRONTEND=noninteractive

# A host has no way out: apt would wait for over a minute for what it cannot reach.
: >/etc/apt/sources.list
: >/etc/resolv.conf
apt-get clean
rm -rf /var/lib/apt/lists/*

# A second package source that can be reached, beside the one under test: what
# touches more than its own source shows here.
mkdir -p /srv/second-source /tmp/second/DEBIAN /tmp/second/usr/share/lab-second
echo 'from the second source' >/tmp/second/usr/share/lab-second/note
cat >/tmp/second/DEBIAN/control <<CONTROL
Package: lab-second
Version: 1.0
Architecture: all
Maintainer: Lab <lab@localhost>
Description: package of the lab's second source
CONTROL
cd /srv/second-source
dpkg-deb --root-owner-group --build /tmp/second lab-second_1.0_all.deb
{
    dpkg-deb --field lab-second_1.0_all.deb
    echo 'Filename: ./lab-second_1.0_all.deb'
    echo "Size: $(stat -c %s lab-second_1.0_all.deb)"
    echo "SHA256: $(sha256sum lab-second_1.0_all.deb | cut -d' ' -f1)"
    echo
} >Packages
echo 'deb [trusted=yes] file:/srv/second-source ./' >/etc/apt/sources.list.d/second.list
apt-get update -q
rm -rf /tmp/second

# root and deploy log in with the lab's key; deploy may become root.
useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy
rm -f /etc/ssh/ssh_host_* # every host gets one of its own
cat >/etc/ssh/sshd_config.d/lab.conf <<CONFIG
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 100
MaxSessions 100
CONFIG

# The journal must be there after a power cut.
mkdir -p /var/log/journal
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n' >/etc/systemd/journald.conf.d/lab.conf

# Not what a lab is for: consoles, waiting for a network that is there already,
# and work that starts by itself and gets into a test's way.
systemctl set-default multi-user.target
systemctl mask getty@.service console-getty.service container-getty@.service serial-getty@.service \
    getty.target systemd-networkd-wait-online.service systemd-logind.service systemd-pstore.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer systemd-tmpfiles-clean.timer remote-fs.target
rm -f /etc/machine-id /var/lib/dbus/machine-id /var/log/*.log /var/log/apt/*
