package server

import (
	"io/fs"
	"path"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// kind is what a name is to a client; metrics are counted by it.
type kind string

const (
	kindKey     kind = "key"     // key.asc
	kindRoot    kind = "root"    // what is signed, and its signatures: all else follows from it
	kindIndex   kind = "index"   // what roots name
	kindPackage kind = "package" // what indexes name
	kindOther   kind = "other"   // nothing of ours
)

func kinds() []kind { return []kind{kindKey, kindRoot, kindIndex, kindPackage, kindOther} }

const keyName = "key.asc"

// digestNamed is an index under the digest of its content: by-hash/SHA256/… of
// apt, and repodata/…-primary.xml.gz of yum. A signature stands under the
// digest of what it signs, which is not its own.
var digestNamed = lazyregexp.New(`^(?:dists/.*/by-hash/SHA256/([0-9a-f]{64})|yum/.*/repodata/([0-9a-f]{64})-[a-z_.]+)$`)

// classify turns the path of a URL into the name of a file in the tree, and
// says what that is to a client. What may not be asked for at all is kindOther.
func classify(urlPath string) (name string, k kind) {
	name = strings.TrimPrefix(urlPath, "/")
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", kindOther
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return "", kindOther
		}
	}
	switch top, rest, _ := strings.Cut(name, "/"); {
	case name == keyName:
		return name, kindKey
	case rest == "":
	case top == "pool":
		return name, kindPackage
	case top == "dists":
		switch path.Base(name) {
		case "InRelease", "Release", "Release.gpg":
			return name, kindRoot
		}
		return name, kindIndex
	case top == "yum":
		switch {
		case strings.HasSuffix(name, "repomd.xml"), strings.HasSuffix(name, "repomd.xml.asc"):
			return name, kindRoot
		case strings.Contains(name, "/Packages/"):
			return name, kindPackage
		}
		return name, kindIndex
	}
	return "", kindOther
}

// digest is the SHA-256 of the content where the name tells it, else empty.
func digest(name string) string {
	m := digestNamed.FindStringSubmatch(name)
	if m == nil || strings.HasSuffix(name, ".asc") {
		return ""
	}
	return m[1] + m[2]
}

// immutable names never change their content.
func immutable(name string, k kind) bool { return k == kindPackage || digest(name) != "" }

func cacheControl(name string, k kind) string {
	if immutable(name, k) {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache" // may be kept, must be asked for again
}

// contentType never says what a file is packed with, so that nothing on the
// way unpacks it: clients want .gz as it is.
func contentType(name string) string {
	switch ext := path.Ext(name); {
	case ext == ".deb":
		return "application/vnd.debian.binary-package"
	case ext == ".rpm":
		return "application/x-rpm"
	case ext == ".asc", ext == ".gpg":
		return "application/pgp-signature"
	case ext == ".xml":
		return "text/xml; charset=utf-8"
	case ext == ".gz", ext == ".zst", ext == ".xz", strings.Contains(name, "/by-hash/"):
		return "application/octet-stream"
	}
	return "text/plain; charset=utf-8"
}
