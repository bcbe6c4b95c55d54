package rpmfile

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
	nfpmrpm "github.com/goreleaser/nfpm/v2/rpm"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

var (
	built = time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)
	now   = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
)

// spec has all kinds of what a package can say.
const spec = `Name: demo
Epoch: 3
Version: 1.2~rc1
Release: 4.el9
Summary: A <demo> & more
License: MIT
URL: https://example.com/demo
Vendor: Example
Packager: Ops <ops@example.com>
Group: Tools
BuildArch: noarch
Provides: virtual = 2:3.0-1
Provides: other
Requires: bash >= 5
Requires: (python3 or perl)
Requires: exact = 1:2.0-3
Requires(post): coreutils
Requires(pre): shadow-utils
Conflicts: foe < 2
Obsoletes: old <= 1.0
Recommends: nice > 1
Suggests: idea
Supplements: (a and b)
Enhances: thing
%description
Line one.

Grün.
%post
true
%install
mkdir -p %{buildroot}/usr/share/demo/sub %{buildroot}/var/log %{buildroot}/etc
echo hello > %{buildroot}/usr/share/demo/file
ln -s file %{buildroot}/usr/share/demo/link
touch %{buildroot}/var/log/demo.log
echo x=1 > %{buildroot}/etc/demo.conf
%files
%dir /usr/share/demo
%dir /usr/share/demo/sub
/usr/share/demo/file
/usr/share/demo/link
%ghost /var/log/demo.log
%config(noreplace) /etc/demo.conf
%changelog
* Mon Mar 03 2025 Ann Example <ann@example.com> - 1.2-4
- Second
- line
* Sat Mar 01 2025 Bob <bob@example.com> - 1.1-1
- First
`

// rpmbuild builds spec, or skips the test; with "-bs" a source package.
func rpmbuild(t testing.TB, kind string, defines ...string) []byte {
	t.Helper()
	needs.Program(t, "rpmbuild", "packages were not compared with the real one")
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "demo.spec"), []byte(spec), 0o644))
	args := []string{kind, "--define", "_topdir " + dir}
	for _, d := range defines {
		args = append(args, "--define", d)
	}
	run(t, "rpmbuild", append(args, filepath.Join(dir, "demo.spec"))...)
	found, err := filepath.Glob(filepath.Join(dir, "*RPMS/*rpm"))
	deeper, _ := filepath.Glob(filepath.Join(dir, "RPMS/*/*.rpm"))
	check(t, err)
	if found = append(found, deeper...); len(found) != 1 {
		t.Fatalf("rpmbuild made %q", found)
	}
	body, err := os.ReadFile(found[0])
	check(t, err)
	return body
}

// nfpmRPM is a small package as kinectl makes them.
func nfpmRPM(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "hello"), []byte(strings.Repeat("content ", 50)), 0o755))
	info := &nfpm.Info{
		Name: "hello", Version: "1.0", Release: "1", Arch: "amd64", Platform: "linux", Description: "a service", License: "MIT", MTime: built,
		Overridables: nfpm.Overridables{
			RPM:      nfpm.RPM{Compression: "zstd:3", BuildHost: "localhost"},
			Depends:  []string{"systemd"},
			Contents: files.Contents{{Source: filepath.Join(dir, "hello"), Destination: "/usr/bin/hello"}},
		},
	}
	var b bytes.Buffer
	check(t, nfpmrpm.DefaultRPM.Package(nfpm.WithDefaults(info), &b))
	return b.Bytes()
}

// minimal are the values of a header that Read accepts.
func minimal(payload []byte) map[tag]value {
	number := func(t tag, n uint32) value {
		return value{t, kindInt32, 1, binary.BigEndian.AppendUint32(nil, n)}
	}
	sum := sha256.Sum256(payload)
	values := map[tag]value{}
	for _, v := range []value{
		textValue(tagName, "tiny"), textValue(tagVersion, "1"), textValue(tagRelease, "1"), textValue(tagArch, "noarch"),
		textValue(tagSourceRPM, "tiny-1-1.src.rpm"), number(tagBuildTime, uint32(built.Unix())),
		textValue(tagPayloadDigest, hex.EncodeToString(sum[:])), number(tagPayloadDigestAlgo, 8),
	} {
		values[v.tag] = v
	}
	return values
}

// makeRPM makes a package of these values, with no digests but in the header.
func makeRPM(values map[tag]value, payload []byte, signature ...value) []byte {
	all := make([]value, 0, len(values))
	for _, v := range values {
		all = append(all, v)
	}
	body := append(encodeLead("tiny-1-1", "noarch"), encodeHeader(tagSignatures, signature)...)
	head := encodeHeader(tagImmutable, all)
	data := binary.BigEndian.Uint32(head[12:])
	head = head[:introSize+entrySize*(len(all)+1)+int(data)] // the header is not filled up
	return append(append(body, head...), payload...)
}

func md5Value(parts ...[]byte) value {
	h := md5.New()
	for _, p := range parts {
		h.Write(p)
	}
	return binaryValue(sigMD5, h.Sum(nil))
}

// newKey makes each kind of key once.
func newKey(t testing.TB, kind signing.KeyType) *signing.Key {
	t.Helper()
	keys := map[signing.KeyType]func() (*signing.Key, error){signing.RSA4096: rsaKey, signing.Ed25519: edKey}
	key, err := keys[kind]()
	check(t, err)
	return key
}

var (
	rsaKey = sync.OnceValues(func() (*signing.Key, error) { return signing.NewKey("rsa", signing.RSA4096, built.AddDate(0, 0, -1)) })
	edKey  = sync.OnceValues(func() (*signing.Key, error) { return signing.NewKey("ed", signing.Ed25519, built.AddDate(0, 0, -1)) })
)

func mustRead(t testing.TB, body []byte) *Package {
	t.Helper()
	p, err := Read(bytes.NewReader(body))
	check(t, err)
	return p
}

// sign returns the signed file and what is said of it, which must fit.
func sign(t testing.TB, body []byte, s signing.Signer) ([]byte, *Signed) {
	t.Helper()
	signed, err := mustRead(t, body).Signed(t.Context(), s, now)
	check(t, err)
	r, err := signed.Open()
	check(t, err)
	out, err := io.ReadAll(r)
	check(t, err)
	check(t, r.Close())
	if sum := sha256.Sum256(out); int64(len(out)) != signed.Size || hex.EncodeToString(sum[:]) != signed.SHA256 {
		t.Fatalf("the file has %d bytes and digest %x, told %d and %s", len(out), sum, signed.Size, signed.SHA256)
	}
	return out, signed
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func write(t testing.TB, body []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "package.rpm")
	check(t, os.WriteFile(name, body, 0o644))
	return name
}
