package e2e

import (
	"strings"
	"testing"
)

// security is a source of packages that says it is the distribution's security, with
// newer versions of two that are installed. One is held.
const security = `set -e
mkdir -p /srv/security && cd /srv/security && . /etc/os-release
for name in careful free; do
	for version in 1.0 2.0; do
		mkdir -p $name/DEBIAN
		printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: to be upgraded\n' $name $version >$name/DEBIAN/control
		dpkg-deb --root-owner-group --build $name ${name}_$version.deb
	done
	dpkg -i ${name}_1.0.deb
done
apt-mark hold careful
for deb in *_2.0.deb; do
	dpkg-deb -f $deb
	printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' $deb $(stat -c %s $deb) $(sha256sum <$deb | cut -d' ' -f1)
done >Packages
printf 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: %s-security\nDate: %s\nSHA256:\n %s %s Packages\n' \
	$VERSION_CODENAME "$(date -Ru)" $(sha256sum <Packages | cut -d' ' -f1) $(stat -c %s Packages) >Release
echo 'deb [trusted=yes] file:/srv/security ./' >/etc/apt/sources.list.d/security.list
apt-get -q update`

// upgrades lets the nightly upgrade run: what is held stays, and so does what our
// repository has newer.
func (s *bareLab) upgrades(t *testing.T) {
	s.sh(t, "h2", "{ "+security+"\n} 2>&1")
	const have = `dpkg-query -W -f '${Package} ${Version}\n' careful free openssh-server`
	_, ssh, _ := strings.Cut(s.sh(t, "h2", have), "openssh-server ")
	s.sh(t, "h2", `unattended-upgrade -v 2>&1`)
	s.expect(t, "h2", have, "careful 1.0\nfree 2.0\nopenssh-server "+ssh)
	// The control: it was the hold that kept it.
	s.sh(t, "h2", `apt-mark unhold careful && unattended-upgrade -v 2>&1`)
	s.expect(t, "h2", have, "careful 2.0\nfree 2.0\nopenssh-server "+ssh)
}
