package e2e

import (
	"runtime"
	"strings"
	"testing"
)

// policy is the table of apt-cache policy without its blanks: what is
// installed, what would be, and each version with its priority and sources.
func (a *archive) policy(t *testing.T, name string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(a.sh(t, a.client, `LC_ALL=C apt-cache policy `+name)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func (a *archive) expectPolicy(t *testing.T, want ...string) {
	t.Helper()
	if got, want := a.policy(t, "shop"), strings.Join(append([]string{"shop:"}, want...), "\n"); got != want {
		t.Errorf("apt-cache policy says\n%s\nand not\n%s", got, want)
	}
}

// installs lets apt do something that must end with this version of shop.
func (a *archive) installs(t *testing.T, verb, version string) {
	t.Helper()
	a.sh(t, a.client, `DEBIAN_FRONTEND=noninteractive apt-get -q -y `+verb)
	a.expect(t, a.client, `dpkg-query -W -f '${db:Status-Abbrev}${Version}' shop; cat /usr/share/shop/version; dpkg --verify shop`, "ii "+version+version)
}

// life takes one package through testing and stable, and a host with it.
func (a *archive) life(t *testing.T) {
	const (
		ours  = "1 " + archiveURL + " stable/main " + runtime.GOARCH + " Packages"
		local = "100 /var/lib/dpkg/status"
	)
	refused := func(verb, why string) {
		t.Helper()
		out := a.sh(t, a.client, `LC_ALL=C apt-get -q -y `+verb+` 2>&1; echo "exit code $?"`)
		contains(t, out, why, "exit code 100")
	}
	contains(t, a.repo(t, "publish", "--suite", "testing", deb(t, "shop", "1.0"), deb(t, "shop", "1.1")), "published shop 1.0 all", "published shop 1.1 all", "in testing")
	a.update(t, "")
	refused("install shop", "Unable to locate package shop") // the host asks for stable only

	contains(t, a.repo(t, "promote", "shop=1.0"), "promoted shop 1.0 all")
	a.update(t, "")
	a.expectPolicy(t, "Installed: (none)", "Candidate: 1.0", "Version table:", "1.0 1", ours)
	a.installs(t, "install shop", "1.0")

	// What is installed stays until somebody asks for another version by name.
	a.repo(t, "promote", "shop")
	a.update(t, "")
	a.expectPolicy(t, "Installed: 1.0", "Candidate: 1.0", "Version table:", "1.1 1", ours, "*** 1.0 100", ours, local)
	a.installs(t, "upgrade", "1.0")
	a.installs(t, "install shop=1.1", "1.1")
	refused("install shop=1.0", "Packages were downgraded and -y was used without --allow-downgrades")
	a.installs(t, "install --allow-downgrades shop=1.0", "1.0")

	// A name pinned at 1001 goes to its version, back too, as a release does it.
	for _, version := range []string{"1.1", "1.0"} {
		a.place(t, a.client, map[string]string{archivePin + "-name": "Package: shop\nPin: version " + version + "\nPin-Priority: 1001\n"})
		contains(t, a.policy(t, "shop"), "Candidate: "+version, "\n"+version+" 1001", "*** ")
		a.installs(t, "upgrade --allow-downgrades", version)
	}
	a.expectPolicy(t, "Installed: 1.0", "Candidate: 1.0", "Version table:", "1.1 1", ours, "*** 1.0 1001", ours, local)
	a.sh(t, a.client, `rm `+archivePin+`-name`)

	// What was removed is no candidate after the next refresh. Who has the lists of
	// before still gets the file, and testing has it as before.
	a.repo(t, "remove", "shop=1.1")
	a.installs(t, "install shop=1.1", "1.1")
	a.installs(t, "install --allow-downgrades shop=1.0", "1.0")
	a.update(t, "")
	a.expectPolicy(t, "Installed: 1.0", "Candidate: 1.0", "Version table:", "*** 1.0 100", ours, local)
	refused("install shop=1.1", "Version '1.1' for 'shop' was not found")
	if got := a.versions(t, "testing", "shop") + ", " + a.versions(t, "stable", "shop"); got != "1.0 1.1, 1.0" {
		t.Errorf("testing and stable have %s", got)
	}
}

// distribution publishes a package under the name of one that the host has
// from its distribution, of a higher version: the host does not take it. The
// control is the same host without the pin.
func (a *archive) distribution(t *testing.T) {
	const (
		name      = "openssh-server"
		simulated = `apt-get -q -s upgrade | grep -c '^Inst ` + name + ` .*9999' || true`
	)
	installed := a.sh(t, a.client, `dpkg-query -W -f '${Version}' `+name)
	a.repo(t, "publish", deb(t, name, "1:9999"))
	t.Cleanup(func() { a.repo(t, "remove", name+"=1:9999") })
	a.update(t, "")
	contains(t, a.policy(t, name), "Candidate: "+installed, "1:9999 1\n1 "+archiveURL)
	a.expect(t, a.client, simulated, "0")
	a.sh(t, a.client, `DEBIAN_FRONTEND=noninteractive apt-get -q -y upgrade && apt-get -q -y install `+name)
	a.expect(t, a.client, `dpkg-query -W -f '${Version}' `+name, installed)

	a.sh(t, a.client, `mv `+archivePin+` /root/pin`)
	defer a.sh(t, a.client, `mv /root/pin `+archivePin)
	contains(t, a.policy(t, name), "Candidate: 1:9999")
	a.expect(t, a.client, simulated, "1")
}
