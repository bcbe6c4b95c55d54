package repo

import (
	"fmt"

	"github.com/kinectl/kinectl/internal/repo/apt"
)

// Where a host keeps what makes it trust a repository: the public key (a copy
// of key.asc), the source and the pin.
const (
	AptKeyPath    = "/etc/apt/keyrings/kinectl.asc"
	AptSourcePath = "/etc/apt/sources.list.d/kinectl.sources"
	AptPinPath    = "/etc/apt/preferences.d/kinectl"
)

// AptSource is the content of AptSourcePath, sources.list(5) in its deb822
// form: the suite at url, believed only with the key at AptKeyPath. Neither
// argument may hold a newline.
func AptSource(url, suite string) []byte {
	return fmt.Appendf(nil, `Types: deb
URIs: %s
Suites: %s
Components: %s
Signed-By: %s
`, url, suite, apt.Component, AptKeyPath)
}

// AptPin is the content of AptPinPath, apt_preferences(5): a package of the
// repository with this origin is taken only where no other source has it and
// none is installed, unless a pin of its own names it. So whoever holds the key
// cannot replace the system's packages.
func AptPin(origin string) []byte {
	return fmt.Appendf(nil, `Package: *
Pin: release o=%s
Pin-Priority: 1
`, origin)
}
