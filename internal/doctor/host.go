package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/release"
)

// facts is what a host is asked: one line a fact, KEY VALUE. It changes nothing.
// Behind a proxy of apt only apt itself would know what the repository answers.
const facts = `echo time "$(date +%s.%N)"
echo root "$(sudo -n id -u 2>/dev/null || [ "$(id -u)" = 0 ] && echo 0)"
echo systemd "$(systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')"
echo source "$([ -s /etc/apt/sources.list.d/kinectl.sources ] || [ -s /etc/yum.repos.d/kinectl.repo ] && echo yes)"
echo pin "$(grep -sx 'Pin-Priority: 1' /etc/apt/preferences.d/kinectl >/dev/null || [ -s /etc/yum.repos.d/kinectl.repo ] && echo yes)"
root=$(awk '/^URIs:/ { at = $2 } /^Suites:/ { suite = $2 } END { if (at ~ /^https?:/) print at "/dists/" suite "/InRelease" }' /etc/apt/sources.list.d/kinectl.sources 2>/dev/null)
[ -z "$root" ] || ! command -v curl >/dev/null || apt-config dump 2>/dev/null | grep -q '^Acquire::https*::.*[Pp]roxy.* "[^"]' || echo fetch "$(curl -q -s -L -m 10 -o /dev/null -w '%{http_code}' "$root")"
echo free "$(df -Pm /var | awk 'NR == 2 {print $4}')"
echo memory "$(grep -sqw memory /sys/fs/cgroup/cgroup.controllers || [ -d /sys/fs/cgroup/memory ] && echo yes)"`

// The bounds that a host should keep.
const (
	skew          = time.Second
	oldestSystemd = 249 // of Ubuntu 22.04
	leastDisk     = 500 // MB free in /var
)

func host(ctx context.Context, in *release.Infra, dir, name string) []Finding {
	asked := time.Now()
	out, err := in.Look(ctx, name, facts)
	if err != nil {
		return one(Fail, "ssh: "+err.Error(), in.Login(name))
	}
	apply := fmt.Sprintf("kinectl apply --infra %s --env %s --limit %s", dir, in.Env, name)
	found := judge(out, asked, time.Now(), apply)
	if len(found) == 0 {
		return one(OK, "", "")
	}
	return found
}

// judge says what is wrong with a host by its answer, which was asked for and
// there at two moments of this machine's clock. It is pure.
func judge(answer string, asked, there time.Time, apply string) []Finding {
	fact := map[string]string{}
	for line := range strings.Lines(answer) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		fact[key] = value
	}
	var found []Finding
	add := func(level Level, mend, format string, args ...any) {
		found = append(found, Finding{Level: level, Detail: fmt.Sprintf(format, args...), Mend: mend})
	}
	if fact["root"] != "0" {
		add(Fail, apply, "become does not work: sudo asks for a password or is not there")
	}
	if fact["source"] != "yes" {
		add(Fail, apply, "our package repository is not among its sources")
	} else if fact["pin"] != "yes" {
		add(Fail, apply, "our package repository is not pinned at priority 1: it could replace packages of the system")
	}
	// curl has neither apt's auth.conf.d nor its certificates, so this is no fault for certain.
	if code := fact["fetch"]; code == "000" {
		add(Warn, "is the server of the packages up (kinectl repo serve), and open to this host?", "our package repository does not answer it")
	} else if code != "" && code != "200" {
		add(Warn, "see URIs and Suites in its /etc/apt/sources.list.d/kinectl.sources", "our package repository answers it with %s", code)
	}
	if v, err := strconv.Atoi(fact["systemd"]); err != nil || v < oldestSystemd {
		add(Fail, "", "systemd %s is older than %d", fact["systemd"], oldestSystemd)
	}
	if seconds, err := strconv.ParseFloat(fact["time"], 64); err == nil {
		clock := time.UnixMicro(int64(seconds * 1e6))
		off := max(asked.Sub(clock), clock.Sub(there)) // 0 or less in between
		if off > skew {
			add(Warn, "timedatectl set-ntp true", "its clock is off by %.1f s or more", off.Seconds())
		}
	}
	if free, err := strconv.Atoi(fact["free"]); err == nil && free < leastDisk {
		add(Warn, "", "%d MB free in /var", free)
	}
	if fact["memory"] != "yes" {
		add(Warn, "", "no memory controller: limits.mem is not kept")
	}
	return found
}
