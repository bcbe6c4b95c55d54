package yum

import "fmt"

// Where a host keeps what makes it trust a repository: the public keys (a copy
// of key.asc) and the source.
const (
	KeyPath    = "/etc/pki/rpm-gpg/RPM-GPG-KEY-kinectl"
	SourcePath = "/etc/yum.repos.d/kinectl.repo"
)

// Source is the content of SourcePath, dnf.conf(5): the suite of the
// repository at url. key is where dnf takes the public keys from:
// "file://"+KeyPath, or url+"/key.asc", which trusts the server in the moment
// of the first use, and at each new key, since `dnf -y` takes any that it is
// given. No argument may hold a newline.
//
// Three settings are not dnf's defaults everywhere. Without
// skip_if_unavailable=0, dnf goes on without a repository whose signature does
// not hold, and exits 0. Without metadata_expire, a version is seen two days
// after it was published. And priority lets a package come from here only
// where no other repository has one of its name (the default is 99, and less
// is better), so that whoever holds the key cannot replace the system's.
func Source(url, suite, key string) []byte {
	return fmt.Appendf(nil, `[kinectl]
name=kinectl %s
baseurl=%s/%s
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=%s
skip_if_unavailable=0
metadata_expire=60
priority=200
`, suite, url, directory(suite, "$basearch"), key)
}
