package lab

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

const (
	imageSuite  = "bookworm"
	cacheRoot   = "/var/cache/kinectl-lab"
	archiveKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// imagePackages are in the image beside Debian's minimal base.
const imagePackages = "systemd,systemd-sysv,dbus,openssh-server,python3-minimal,python3-apt,iproute2," +
	"ca-certificates,curl,sudo,procps,nftables"

// customise runs inside the new image as root.
//
//go:embed image/customise.sh
var customise string

//go:embed image/lab-init.sh
var labInit string

// ImageOptions says where the base image comes from and where it is kept.
type ImageOptions struct {
	Mirror string // Debian mirror; default: the machine's own, else deb.debian.org
	Cache  string // directory; default /var/cache/kinectl-lab
}

func (o ImageOptions) cache() string {
	if o.Cache != "" {
		return o.Cache
	}
	return cacheRoot
}

// imageKey names an image by all that goes into it.
func imageKey() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{imageSuite, runtime.GOARCH, imagePackages, customise, labInit}, "\x00")))
	return imageSuite + "-" + hex.EncodeToString(sum[:6])
}

// Path is where the image's root directory is, or will be.
func (o ImageOptions) Path() string {
	return filepath.Join(o.cache(), "images", imageKey(), "root")
}

func (o ImageOptions) built() bool {
	_, err := os.Stat(o.Path())
	return err == nil
}

// BuildImage makes the base image unless it is in the cache, and returns its
// root directory. It takes about a minute. Of several at once, one builds and the others wait for it. When
// it is interrupted nothing half-built is taken for an image; the next one
// removes it.
func BuildImage(ctx context.Context, o ImageOptions, tell func(Event)) (string, error) {
	if err := require(o.built(), false); err != nil {
		return "", err
	}
	return buildImage(ctx, o, newProgress(tell))
}

func buildImage(ctx context.Context, o ImageOptions, p *progress) (path string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("build the base image: %w", err)
		}
	}()
	if strings.ContainsAny(o.Path(), ",:\\") {
		return "", fmt.Errorf("cache directory %s: an overlay cannot lie on a path with a comma, colon or backslash", o.cache())
	}
	if o.built() {
		return o.Path(), nil
	}
	images := filepath.Join(o.cache(), "images")
	l, err := acquire(ctx, filepath.Join(images, ".lock"), func() {
		p.say("", "waiting: another command is building the base image")
	})
	if err != nil {
		return "", err
	}
	defer l.release()
	if o.built() {
		return o.Path(), nil
	}
	half := filepath.Join(images, ".building")
	if err := removeTree(half); err != nil { // of a builder that was killed
		return "", err
	}
	if err := os.Mkdir(half, 0o755); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeTree(half))
		}
	}()
	if err := bootstrap(ctx, o, filepath.Join(half, "root"), p); err != nil {
		return "", err
	}
	if err := os.Rename(half, filepath.Dir(o.Path())); err != nil {
		return "", err
	}
	p.say("", "base image: ready in "+o.Path())
	return o.Path(), atomicfile.SyncDir(images)
}

// bootstrap fills root with Debian and makes it ours.
func bootstrap(ctx context.Context, o ImageOptions, root string, p *progress) error {
	mirror := o.Mirror
	if mirror == "" {
		mirror = machineMirror()
	}
	p.say("", "base image: Debian "+imageSuite+" from "+mirror+", about a minute, once")
	stage := ""
	if err := runContained(ctx, func(line string) {
		if now := bootstrapStage(line); now != "" && now != stage {
			stage = now
			p.say("", "base image: "+now)
		}
	}, "debootstrap", "--variant=minbase", "--keyring="+archiveKeys, "--include="+imagePackages, imageSuite, root, mirror); err != nil {
		return err
	}
	p.say("", "base image: setting it up")
	if err := writeInto(root, map[string]File{"/usr/local/sbin/lab-init": {0o755, []byte(labInit)}}); err != nil {
		return err
	}
	return runContained(ctx, func(string) {}, "chroot", root, "/bin/sh", "-euc", customise)
}

// bootstrapStage is what a line of debootstrap's output says to an onlooker.
func bootstrapStage(line string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(line, "I: "), " ")
	switch word {
	case "Retrieving", "Validating":
		return "downloading packages"
	case "Extracting", "Unpacking", "Installing":
		return "unpacking them"
	case "Configuring":
		return "configuring them"
	}
	return ""
}
