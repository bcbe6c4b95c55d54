package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/unit"
	"github.com/kinectl/kinectl/internal/spec"
)

// planned is the plan of a spec.
func planned(t *testing.T, src string) plan.Plan {
	t.Helper()
	s, findings := spec.Parse("spec.yml", []byte(src))
	if findings.HasErrors() {
		t.Fatalf("%+v", findings)
	}
	return plan.Build(s, plan.Facts{})
}

// place writes files on a host; programs are those in folders called bin.
func (f *fixture) place(t *testing.T, host string, files map[string]string) {
	t.Helper()
	var b, errs bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		if path.Base(path.Dir(name)) == "bin" {
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Name: name[1:], Mode: mode, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f.lab.Exec(ctx, host, &b, nil, &errs, "tar", "-x", "--no-same-owner", "-C", "/"); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
}

// installed puts what the package of each plan carries on a host, with the
// program of that name and the text of an environment file, until the test is
// over. The units go to /run, where nothing of them outlives the host.
func (f *fixture) installed(t *testing.T, host, program, environment string, plans ...plan.Plan) {
	t.Helper()
	files := map[string]string{}
	var accounts, folders, units, own []string
	for _, p := range plans {
		own = append(own, "/etc/"+p.Name, "/usr/share/kinectl/"+p.Name)
		files["/usr/bin/"+p.Name], files["/etc/"+p.Name+"/environment"] = program, environment
		for _, file := range unit.Files(p) {
			to := strings.Replace(file.Install, "/usr/lib/systemd", "/run/systemd", 1)
			files[to] = string(file.Body)
			switch path.Base(path.Dir(to)) {
			case "system":
				units = append(units, path.Base(to))
			case "sysusers.d":
				accounts = append(accounts, to)
			case "tmpfiles.d":
				folders = append(folders, to)
			}
		}
	}
	t.Cleanup(func() {
		f.sh(t, host, "systemctl stop --no-block "+strings.Join(units, " ")+"; systemctl stop "+strings.Join(units, " ")+
			"; rm -rf "+strings.Join(append(own, slices.Sorted(maps.Keys(files))...), " ")+"; systemctl daemon-reload; systemctl reset-failed")
	})
	f.place(t, host, files)
	f.sh(t, host, "systemctl daemon-reload")
	for _, file := range accounts {
		f.sh(t, host, "systemd-sysusers "+file)
	}
	for _, file := range folders {
		f.sh(t, host, "systemd-tmpfiles --create "+file)
	}
}

// TestUnitsReadBack asks systemd for what it made of every key.
func TestUnitsReadBack(t *testing.T) {
	source, err := os.ReadFile("../internal/spec/testdata/every-key.yml")
	if err != nil {
		t.Fatal(err)
	}
	p := planned(t, string(source))
	road.installed(t, "h1", "#!/bin/sh\n", "HTTP_ADDRESS=:8080\n", p)
	f := func(unit, want string) {
		t.Helper()
		var names []string
		for line := range strings.Lines(want) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), "=")
			names = append(names, name)
		}
		got := strings.Split(road.sh(t, "h1", "systemctl show -p "+strings.Join(names, " -p ")+" "+unit), "\n")
		for line := range strings.Lines(want) {
			if line = strings.TrimSpace(line); !slices.Contains(got, line) {
				t.Errorf("%s has not %q but:\n%s", unit, line, strings.Join(got, "\n"))
			}
		}
		if len(got) != len(names) {
			t.Errorf("%s: %d properties of %d", unit, len(got), len(names))
		}
	}
	const sandbox = `User=films-owner
		Group=media
		StateDirectory=films
		StateDirectoryMode=0750
		CacheDirectory=films
		CapabilityBoundingSet=cap_net_bind_service
		AmbientCapabilities=cap_net_bind_service
		PrivateUsers=no
		ReadWritePaths=/srv/films
		RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
		ProtectSystem=strict
		ProtectHome=yes
		ProtectProc=invisible
		PrivateDevices=yes
		DevicePolicy=closed
		NoNewPrivileges=yes
		MemoryDenyWriteExecute=yes
		AllowedCPUs=0-1
		CPUQuotaPerSecUSec=1.500000s
		LimitNOFILE=10000
		LimitNOFILESoft=10000
		TasksMax=1000
		UMask=0077
		EnvironmentFiles=/etc/films/environment (ignore_errors=no)
`
	f("films.service", sandbox+`MemoryMax=1073741824
		Nice=-5
		Type=notify
		NotifyAccess=main
		KillSignal=15
		RuntimeDirectory=films
		RuntimeDirectoryPreserve=yes
		StartLimitIntervalUSec=0
		TriggeredBy=films.socket
		LoadState=loaded`)
	f("films-cleanup.service", sandbox+`MemoryMax=268435456
		Nice=10
		Type=oneshot
		LoadState=loaded`)
	f("films-report.service", sandbox+"MemoryMax=1073741824\nNice=-5\n")
	f("films-cleanup.timer", "Unit=films-cleanup.service\nPersistent=yes\nAccuracyUSec=1s\nLoadState=loaded")
	f("films.socket", "Triggers=films.service\nSocketUser=films-owner\nSocketGroup=media\nSocketMode=0660\nFreeBind=yes\nLoadState=loaded")
	road.expect(t, "h1", `systemctl show -P Listen films.socket`, "[::]:8080 (Stream)\n127.0.0.1:53 (Datagram)\n/run/films/api.sock (Stream)")
	contains(t, road.sh(t, "h1", `systemctl show -P TimersCalendar films-cleanup.timer films-report.timer`),
		"OnCalendar=Mon..Fri *-*-* 04:30:00 ;", "OnCalendar=*-*-01 00:00:00 ;")
	road.expect(t, "h1", `stat -c '%a %U:%G' /run/films; id -nG films-owner`, "755 films-owner:media\nmedia")
}

// TestSocketOutlivesService holds that a service can end and start again while
// systemd listens for it, in a folder that is the service's own.
func TestSocketOutlivesService(t *testing.T) {
	p := planned(t, "service:\n  name: held\n  group: apps\n  description: Holds\n  exec: {reload: SIGHUP, stop: SIGTERM, type: notify}\n  sockets: [/run/held/api.sock, \":8199\"]\n")
	p.Unit.Type = "exec" // a shell cannot notify; what is tried here is the socket
	// It tells what it was handed and what it was told, and waits to be stopped.
	const program = "#!/bin/sh\ntrap 'echo again >/run/held/told' HUP\necho \"$LISTEN_FDS\" >/run/held/handed\nwhile :; do sleep 1000 & wait; done\n"
	road.installed(t, "h1", program, "", p)
	const look = `systemctl is-active held.socket; stat -c '%F %a %U:%G' /run/held /run/held/api.sock; cat /run/held/handed`
	const want = "active\ndirectory 755 held:held\nsocket 660 held:held\n2"
	road.sh(t, "h1", `systemctl start held.socket && systemctl start held.service`)
	road.await(t, "h1", `test -s /run/held/handed`)
	road.expect(t, "h1", look, want)
	road.sh(t, "h1", `systemctl reload held.service`)
	road.await(t, "h1", `test -s /run/held/told`)
	road.sh(t, "h1", `systemctl stop held.service 2>/dev/null; test -S /run/held/api.sock && rm /run/held/handed`)
	// The first connection starts it.
	road.sh(t, "h1", `python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/held/api.sock")'`)
	road.await(t, "h1", `test -s /run/held/handed`)
	road.expect(t, "h1", look, want)
}

// TestTask runs a task and a probe as their timers and a deploy would.
func TestTask(t *testing.T) {
	p := planned(t, `service:
  name: sweeper
  group: apps
  description: Sweeps
  state: true
  exec: {start: none}
  timers:
    - {name: sweep, on_calendar: "*-*-* *:*:00/2"}
`)
	p.Deploy.Probe = plan.Probe{Type: "exec", Command: plan.Line("/usr/bin/sweeper", "check")}
	const program = "#!/bin/sh\n[ \"$1\" != check ] || exec test \"$HEALTHY\" = yes\nid -un >>/var/lib/sweeper/ran\n"
	road.installed(t, "h1", program, "HEALTHY=yes\n", p)
	road.sh(t, "h1", `systemctl start sweeper-sweep.timer`)
	road.await(t, "h1", `[ "$(sort -u /var/lib/sweeper/ran)" = sweeper ] && [ "$(wc -l </var/lib/sweeper/ran)" -ge 2 ]`)
	// More often than systemd's usual limit of starts.
	for range 12 {
		road.sh(t, "h1", `systemctl start sweeper-probe.service`)
	}
	road.place(t, "h1", map[string]string{"/etc/sweeper/environment": "HEALTHY=no\n"})
	road.expect(t, "h1", `systemctl start sweeper-probe.service 2>/dev/null || systemctl show -P Result sweeper-probe.service`, "exit-code")
	road.sh(t, "h1", fmt.Sprintf("rm -rf /var/lib/%s", p.Name))
}
