package release

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestRolls(t *testing.T) {
	f := func(lines, want string) {
		t.Helper()
		var all []HostResult
		for row := range strings.Lines(lines) {
			var h HostResult
			if n, err := fmt.Sscan(row, &h.When, &h.Host, &h.Action, &h.Version, &h.Result, &h.Roll, &h.Who); n != 7 {
				t.Fatalf("%s: %v", row, err)
			}
			h.When = "2026-01-01T" + h.When + "Z"
			h.Roll = strings.Trim(h.Roll, "-")
			h.Seconds = 2
			all = append(all, h)
		}
		var got []string
		for _, r := range Rolls(all) {
			var hosts []string
			for _, h := range r.Hosts {
				hosts = append(hosts, h.Host)
			}
			got = append(got, fmt.Sprintf("%s %s %s %v %.0f", r.Action, r.Version, strings.Join(hosts, ","), r.Results, r.Seconds))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("got %s\nwant %s", strings.Join(got, "; "), want)
		}
	}
	f("", "")
	if Rolls(nil) == nil {
		t.Error("no runs are null in JSON")
	}
	// By the id of the run, however long it lasts.
	f(`10:00:00 h1 install 1.1.0 deployed x ann
		11:00:00 h2 install 1.1.0 deployed x ann
		11:00:10 h1 install 1.1.0 deployed y ann`, "install 1.1.0 h1,h2 [deployed] 3602; install 1.1.0 h1 [deployed] 2")
	// Without one: close in time, of one person, each host once.
	f(`10:00:00 h1 install 1.1.0 deployed - ann
		10:00:02 h2 install 1.1.0 rolled-back - ann
		10:00:03 h3 install 1.1.0 deployed - bob
		10:00:04 h1 install 1.1.0 deployed - ann
		10:30:00 h2 install 1.1.0 deployed - ann`, "install 1.1.0 h1,h2 [deployed rolled-back] 4; install 1.1.0 h3 [deployed] 2; install 1.1.0 h1 [deployed] 2; install 1.1.0 h2 [deployed] 2")
	// What reverts is another action.
	f(`10:00:00 h1 install 1.1.0 deployed x ann
		10:00:10 h1 restore 1.0.0 restored x ann`, "install 1.1.0 h1 [deployed] 2; restore 1.0.0 h1 [restored] 2")
}

// TestPastOf passes over what is no line: a power cut may have torn it.
func TestPastOf(t *testing.T) {
	text := `{"action":"install","version":"1.1.0-rc1","from":"1.0.0~deb12","result":"deployed"}` + "\n{\"action\":\"ins\n\n{}\nnull\n" + `{"result":"stopped"}`
	got := pastOf(line{Host: "h1", Result: []byte(`{"lines":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}`)})
	if len(got) != 2 || got[0].Host != "h1" || got[0].From != "1.0.0" || got[1].Result != Halted {
		t.Errorf("got %+v", got)
	}
	if got := pastOf(line{Host: "h1", Result: []byte(`[]`)}); got != nil {
		t.Errorf("of no answer: %+v", got)
	}
}

func TestSkew(t *testing.T) {
	f := func(hosts, want string) {
		t.Helper()
		var all []HostStatus
		for _, word := range strings.Fields(hosts) {
			h := HostStatus{Health: Healthy}
			parts := strings.Split(word, "/") // host, installed, kept@when
			h.Host, h.Version = parts[0], parts[1]
			if parts[1] == "?" {
				h.Health = NotAnswering
			}
			if parts[1], _ = strings.CutSuffix(parts[1], "~"); parts[1] != h.Version {
				h.Health, h.Version = Changing, parts[1]
			}
			for _, kept := range parts[2:] {
				var k Kept
				version, when, _ := strings.Cut(kept, "@")
				k.Version = version
				fmt.Sscan(when, &k.When)
				h.Kept = append(h.Kept, k)
			}
			all = append(all, h)
		}
		wanted, others := Skew(all)
		got := wanted + ":"
		for _, h := range others {
			got += " " + h.Host
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", hosts, got, want)
		}
	}
	f("h1/1.1.0/1.0.0@1/1.1.0@5 h2/1.1.0/1.1.0@6", "1.1.0:")
	f("h1/1.0.0/1.0.0@1 h2/1.1.0/1.1.0@6 h3/?", "1.1.0: h1")
	f("h1/1.0.0/1.1.0@1/1.0.0@9 h2/1.1.0/1.1.0@6", "1.0.0: h2") // back on purpose
	f("h1//", ":")
	f("h1/1.1.0~/1.0.0@1 h2/1.0.0/1.0.0@1", "1.0.0:") // a release is under way on h1
	f("h1/ h2/1.0.0/1.0.0@1", "1.0.0: h1")            // not installed there
}

func TestInUse(t *testing.T) {
	all := &Surveyed{Lost: map[string]string{}}
	all.add(line{Host: "h1", Result: []byte(`{"services":[{"service":"hello","version":"1.1.0~deb12","kept":[{"version":"1.0.0"},{"version":"1.1.0~deb12"}]}]}`)})
	all.add(line{Host: "h2", Result: []byte(`{"services":[{"service":"api","version":"","kept":[{"version":"2.0.0"}]}]}`)})
	got, err := all.InUse()
	if err != nil || strings.Join(got, "; ") != "api 2.0.0; hello 1.0.0; hello 1.1.0~deb12" {
		t.Errorf("got %q, %v", got, err)
	}
	if all.Services[0].Version != "1.1.0" || all.Services[0].Kept[1].Version != "1.1.0" {
		t.Errorf("a person reads %+v", all.Services[0])
	}
	all.Lost["h3"] = "no route"
	if got, err := all.InUse(); err == nil || got != nil {
		t.Errorf("with a host that did not answer: %q, %v", got, err)
	}
}
