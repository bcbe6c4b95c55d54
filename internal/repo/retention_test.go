package repo

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReadInUse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		list, err := ReadInUse(strings.NewReader(text), "f")
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
			if !errors.Is(err, ErrUsage) {
				t.Errorf("%v is not ErrUsage", err)
			}
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f("", "[]")
	f("hello 1.0\n\n# all\n  worker\t2.0-1 amd64 h3 # h3 only\n", "[{hello 1.0} {worker 2.0-1}]")
	f("hello 1.0\r\n", "[{hello 1.0}]")
	f("libc6:amd64 2.36-9+deb12u10\nhello v1.0-rc1\njq 1:1.6~rc1^2\n", "[{libc6:amd64 2.36-9+deb12u10} {hello v1.0-rc1} {jq 1:1.6~rc1^2}]")
	f("web1 | FAILED | rc=1 >>\ncat: in-use: No such file\n", "f:1: \"web1 |\" is no package and its version\nf:2: \"cat: in-use:\" is no package and its version")
	f("hello\nworker 1\nother # 2\n", "f:1: \"hello\" has no version\nf:3: \"other\" has no version")
}

func TestIsVersion(t *testing.T) {
	f := func(format, version, meant string, want bool) {
		t.Helper()
		if got := isVersion(Entry{Format: format, Version: version}, meant); got != want {
			t.Errorf("%s %s is %s: %v", format, version, meant, got)
		}
	}
	f("deb", "1.2.0", "1.2.0", true)
	f("deb", "1.2.0~rc1", "1.2.0-rc1", true)
	f("deb", "1.2.0~deb12", "1.2.0", true)
	f("deb", "1.2.0", "v1.2.0", true) // as git has it
	f("deb", "1.2.0~rc1", "v1.2.0-rc1", true)
	f("rpm", "1.2.0-1", "v1.2.0", true)
	f("deb", "1.2.0", "1.2", false)
	f("deb", "1:2.3-4", "1:2.3-4", true)
	f("deb", "1:2.3-4", "2.3-4", false)
	f("rpm", "1.2.0-1", "1.2.0", true)
	f("rpm", "1.2.0-1", "1.2.0-1", true)
	f("rpm", "1.2.0-1", "1.2.0-2", false)
	f("rpm", "1.2.0~rc1-1", "1.2.0-rc1", true)
	f("rpm", "1.2.0~rc1-1", "1.2.0~rc1", true) // as a deb host says it
	f("rpm", "1.2.0-1", "", false)
}

func TestSurplus(t *testing.T) {
	var entries []Entry
	add := func(format, name, version string, daysAgo int, arches ...string) {
		for _, arch := range arches {
			entries = append(entries, Entry{Format: format, Name: name, Version: version, Architecture: arch, Published: clock.AddDate(0, 0, -daysAgo)})
		}
	}
	add("deb", "hello", "1.0", 90, "amd64", "arm64")
	add("deb", "hello", "1.1", 60, "amd64", "arm64")
	add("deb", "hello", "1.2", 30, "amd64")
	add("deb", "hello", "1.3", 1, "amd64", "arm64")
	add("rpm", "hello", "1.0-1", 90, "x86_64")
	add("rpm", "hello", "1.1-1", 60, "x86_64")
	f := func(r Retention, want string) {
		t.Helper()
		var got []string
		for _, e := range r.surplus(entries, clock) {
			got = append(got, e.Version+"/"+e.Architecture)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v: got %v, want %s", r, got, want)
		}
	}
	day := 24 * time.Hour
	f(Retention{Newest: 1}, "1.0/amd64 1.0/arm64 1.1/amd64 1.1/arm64 1.2/amd64 1.0-1/x86_64")
	f(Retention{Newest: 2}, "1.0/amd64 1.0/arm64")
	f(Retention{Newest: 1, Younger: 45 * day}, "1.0/amd64 1.0/arm64 1.1/amd64 1.1/arm64 1.0-1/x86_64")
	f(Retention{Newest: 1, InUse: []InUse{{"hello", "1.0"}}}, "1.1/amd64 1.1/arm64 1.2/amd64")
	f(Retention{Newest: 1, Younger: 1000 * day}, "")
	f(Retention{Newest: 9}, "")
	f(Retention{Newest: 1, InUse: []InUse{{"hello:amd64", "3:1.1"}}}, "1.0/amd64 1.0/arm64 1.2/amd64 1.0-1/x86_64")

	// An architecture that lags keeps what it has.
	entries = nil
	add("deb", "hello", "1.0", 90, "arm64")
	add("deb", "hello", "1.1", 60, "amd64")
	add("deb", "hello", "1.2", 30, "amd64")
	f(Retention{Newest: 1}, "1.1/amd64")
}

func TestExpired(t *testing.T) {
	at := func(ago time.Duration, name string) expiry { return expiry{clock.Add(-ago).Unix(), name} }
	names := func(x expired) string {
		var all []string
		for _, e := range x {
			all = append(all, e.name)
		}
		return strings.Join(all, " ")
	}
	f := func(x expired, current, superseded []string, wantKept, wantDue string) {
		t.Helper()
		due := strings.Join(x.due(clock), " ")
		kept := x.without(current).with(superseded, clock).without(current)
		if got := names(kept); got != wantKept || due != wantDue {
			t.Errorf("kept %s, want %s; due %s, want %s", got, wantKept, due, wantDue)
		}
		back, err := parseExpired([]byte(text(t, kept.file().Open)))
		if err != nil || fmt.Sprint(back) != fmt.Sprint(kept) {
			t.Errorf("read back %v, %v", back, err)
		}
	}
	hour := time.Hour
	f(nil, nil, nil, "", "")
	f(nil, []string{"dists/a"}, []string{"dists/a", "dists/b"}, "dists/b", "")
	f(expired{at(hour, "dists/a"), at(time.Minute, "dists/b")}, nil, nil, "dists/a dists/b", "dists/a")
	f(expired{at(hour, "dists/a")}, []string{"dists/a"}, nil, "", "dists/a") // it is back
	f(expired{at(hour, "pool/a.deb"), at(25*hour, "pool/b.deb")}, nil, []string{"pool/c.deb"}, "pool/a.deb pool/b.deb pool/c.deb", "pool/b.deb")
	f(expired{at(time.Minute, "yum/a")}, nil, []string{"yum/a"}, "yum/a", "") // its time began before
	f(expired{at(-hour, "yum/a")}, nil, nil, "yum/a", "")                     // the clock was set back

	for _, line := range []string{"x dists/a", "1 key.asc", "1 dists/../key.asc", "1 /etc/passwd", "1", "1 .lock"} {
		if x, err := parseExpired([]byte(line + "\n")); err == nil {
			t.Errorf("%q was read as %v", line, x)
		}
	}
}
